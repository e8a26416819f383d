//! What is committed comes back, whole and as it was.

use std::time::Duration;

use super::{Batch, Change, Durability, Place, commit, open, put_meta, rows};
use crate::db::{Db, DbError, HistoryFilter, HistoryKind, NewHistory, RouterState, RulesState};
use crate::model::Timestamp;

fn puts(rules: &RulesState, router: &RouterState) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(rules.groups.iter().cloned().map(Change::PutRuleGroup));
    changes.extend(rules.alerts.iter().cloned().map(Change::PutRuleAlert));
    changes.extend(rules.states.iter().cloned().map(Change::PutRuleAlertState));
    changes.extend(router.alerts.iter().cloned().map(Change::PutAlert));
    changes.extend(router.alert_states.iter().cloned().map(Change::PutAlertState));
    changes.extend(router.groups.iter().cloned().map(Change::PutGroup));
    changes.extend(router.members.iter().cloned().map(Change::PutGroupMember));
    changes.extend(router.notification_log.iter().cloned().map(Change::PutNotificationLog));
    changes.extend(router.outbox.iter().cloned().map(Change::PutOutbox));
    changes
}

#[tokio::test]
async fn every_table_comes_back_as_it_was_written_after_a_restart_too() {
    for place in Place::all().await {
        let (rules, router) = (rows::rules(700), rows::router(700));
        let db = open(&place.config).await;
        assert_eq!(db.load_rules().await.unwrap(), RulesState::default());
        assert_eq!(db.load_router().await.unwrap(), RouterState::default());
        assert_eq!(commit(&db, puts(&rules, &router)).await, Durability::Durable);
        assert_eq!(db.load_rules().await.unwrap(), rules);
        assert_eq!(db.load_router().await.unwrap(), router);
        db.close().await.unwrap();

        let db = open(&place.config).await;
        assert_eq!(db.load_rules().await.unwrap(), rules);
        assert_eq!(db.load_router().await.unwrap(), router);
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_put_replaces_the_row_and_a_delete_removes_it() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        commit(&db, puts(&rows::rules(3), &rows::router(3))).await;
        let mut later = rows::alert_state(1);
        later.ends_at = 77;
        later.lease_ms = None;
        let (log, outbox, rule) = (rows::log(0), rows::outbox(1), rows::rules(1));
        let changes = vec![
            Change::PutAlertState(later.clone()),
            Change::DeleteAlert { fingerprint: rows::alert(0).fingerprint },
            Change::DeleteNotificationLog { group_id: log.group_id, way: log.way },
            Change::DeleteOutbox { group_id: outbox.group_id, way: outbox.way },
            Change::DeleteRuleGroup { id: rule.groups[0].id.clone() },
            Change::DeleteRuleAlert {
                rule: rule.states[0].rule.clone(),
                fingerprint: rule.states[0].fingerprint.clone(),
            },
            Change::DeleteRule { rule: rows::rules(2).states[1].rule.clone() },
            Change::DeleteAlert { fingerprint: "never there".into() },
        ];
        commit(&db, changes).await;
        let router = db.load_router().await.unwrap();
        assert_eq!(router.alerts, [rows::alert(1), rows::alert(2)]);
        assert_eq!(router.alert_states, [later, rows::alert_state(2)]);
        assert_eq!(router.notification_log, [rows::log(1), rows::log(2)]);
        assert_eq!(router.outbox, [rows::outbox(0), rows::outbox(2)]);
        let rules = db.load_rules().await.unwrap();
        assert_eq!(rules.groups.len(), 2);
        assert_eq!((rules.alerts.len(), &rules.states[..]), (1, &rows::rules(3).states[2..]));
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_deleted_group_takes_its_members_along_and_no_others() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        commit(&db, puts(&RulesState::default(), &rows::router(9))).await;
        let delete = Change::DeleteGroup { id: rows::group(1).id };
        let lone = rows::member(2, 6);
        let leave = Change::DeleteGroupMember { group_id: lone.group_id, fingerprint: lone.fingerprint };
        commit(&db, vec![delete, Change::PutGroupMember(rows::member(1, 8)), leave]).await;
        let router = db.load_router().await.unwrap();
        assert_eq!(router.groups.len(), 8);
        let want = [(0, 0), (0, 1), (0, 2), (1, 8), (2, 7), (2, 8)];
        assert_eq!(router.members, want.map(|(of, n)| rows::member(of, n)));
        assert_eq!(router.outbox.len(), 9, "what is to be told of the group stays");
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn many_deletes_at_once_delete_what_they_name() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        commit(&db, puts(&rows::rules(600), &rows::router(600))).await;
        let mut changes: Vec<Change> = Vec::new();
        for n in 0..599 {
            let (outbox, alert) = (rows::outbox(n), rows::alert(n));
            changes.push(Change::DeleteOutbox { group_id: outbox.group_id, way: outbox.way });
            changes.push(Change::DeleteAlert { fingerprint: alert.fingerprint });
            changes.push(Change::DeleteRule { rule: rows::rule_state(n, 0.0).rule });
        }
        commit(&db, changes).await;
        let (rules, router) = (db.load_rules().await.unwrap(), db.load_router().await.unwrap());
        assert_eq!(router.outbox, [rows::outbox(599)]);
        assert_eq!(router.alerts, [rows::alert(599)]);
        assert_eq!((rules.alerts.len(), rules.states.len(), rules.groups.len()), (1, 1, 600));
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn no_value_is_lost_on_the_way() {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MAX, 0.1 + 0.2];
    for place in Place::all().await {
        let db = open(&place.config).await;
        let states = values.iter().zip(0..).map(|(value, n)| Change::PutRuleAlertState(rows::rule_state(n, *value)));
        commit(&db, states.collect()).await;
        let back: Vec<f64> = db.load_rules().await.unwrap().states.iter().map(|state| state.value).collect();
        let same = |(one, other): (&f64, &f64)| one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan();
        assert!(back.len() == values.len() && values.iter().zip(&back).all(same), "{back:?}");
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_nul_in_a_text_does_not_stop_the_writer() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        assert_eq!(commit(&db, vec![put_meta("router_digest", "a\0b")]).await, Durability::Durable);
        assert_eq!(db.meta("router_digest").await.unwrap().as_deref(), Some("a\u{fffd}b"));
        assert_eq!(db.meta("unheard").await.unwrap(), None);
        commit(&db, vec![Change::DeleteMeta { name: "router_digest".into() }]).await;
        assert_eq!(db.meta("router_digest").await.unwrap(), None);
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn many_callers_share_transactions_and_all_become_durable() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        let callers = (0..200).map(|n| {
            let db = db.clone();
            tokio::spawn(async move { commit(&db, vec![Change::PutAlert(rows::alert(n))]).await })
        });
        for caller in callers.collect::<Vec<_>>() {
            assert_eq!(caller.await.unwrap(), Durability::Durable);
        }
        assert_eq!(db.load_router().await.unwrap().alerts, rows::router(200).alerts);
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn what_waits_is_written_before_storage_closes() {
    let place = Place::sqlite();
    let db = open(&place.config).await;
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.commit(Batch { changes: vec![Change::PutAlert(rows::alert(n))], history: vec![] }).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    db.close().await.unwrap();
    let mut durable = 0;
    for caller in waiting {
        match caller.await.unwrap() {
            Ok(Durability::Durable) => durable += 1,
            Err(DbError::Closed) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        db.commit(Batch { changes: vec![put_meta("a", "b")], history: vec![] }).await,
        Err(DbError::Closed)
    ));
    let db = open(&place.config).await;
    assert_eq!(db.load_router().await.unwrap().alerts.len(), durable);
    db.close().await.unwrap();
}

fn happened(at: i64, kind: HistoryKind, fingerprint: &str) -> NewHistory {
    NewHistory { fingerprint: Some(fingerprint.into()), ..NewHistory::new(at, kind) }
}

async fn found(db: &Db, filter: HistoryFilter) -> String {
    let rows = db.history(&filter).await.unwrap();
    rows.iter().map(|row| format!("{}@{}", row.kind, row.at)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn history_is_found_newest_first_by_what_is_asked_for() {
    for place in Place::all().await {
        let db = open(&place.config).await;
        let full = NewHistory {
            rule: Some("rule".into()),
            episode: Some(5),
            group_key: Some("{}:{}".into()),
            integration: Some("team/webhook/0".into()),
            row_seq: Some(3),
            reason: Some("first notification".into()),
            detail: Some("{}".into()),
            ..happened(40, HistoryKind::Delivered, "b")
        };
        let history = vec![
            happened(10, HistoryKind::Pending, "a"),
            happened(20, HistoryKind::Firing, "a"),
            happened(30, HistoryKind::Firing, "b"),
            full.clone(),
        ];
        let batch = Batch { changes: vec![], history };
        assert_eq!(db.commit(batch).await.unwrap(), Durability::Durable);
        let all = HistoryFilter::default;
        let cases = [
            (all(), "delivered@40 firing@30 firing@20 pending@10"),
            (HistoryFilter { fingerprint: Some("a".into()), ..all() }, "firing@20 pending@10"),
            (HistoryFilter { kind: Some(HistoryKind::Firing), ..all() }, "firing@30 firing@20"),
            (HistoryFilter { since: Some(20), until: Some(30), ..all() }, "firing@30 firing@20"),
            (HistoryFilter { limit: 1, ..all() }, "delivered@40"),
            (HistoryFilter { before: Some(2), ..all() }, "pending@10"),
        ];
        for (filter, want) in cases {
            assert_eq!(found(&db, filter.clone()).await, want, "{filter:?}");
        }
        let newest = db.history(&HistoryFilter { limit: 1, ..all() }).await.unwrap().remove(0);
        assert_eq!((newest.id, newest.rule, newest.episode), (4, full.rule, full.episode));
        assert_eq!(
            (newest.group_key, newest.integration, newest.row_seq),
            (full.group_key, full.integration, full.row_seq)
        );
        assert_eq!((newest.reason, newest.detail), (full.reason, full.detail));
        db.close().await.unwrap();

        let db = open(&place.config).await;
        let batch = Batch { changes: vec![], history: vec![happened(50, HistoryKind::Resolved, "a")] };
        db.commit(batch).await.unwrap();
        let newest = db.history(&HistoryFilter { limit: 1, ..all() }).await.unwrap().remove(0);
        assert_eq!((newest.id, newest.at), (5, 50), "ids go on after a restart");
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn history_past_its_retention_is_pruned() {
    for mut place in Place::all().await {
        place.config.history_retention = Duration::from_millis(100);
        let db = open(&place.config).await;
        let history = (0..12_000).map(|at| happened(at, HistoryKind::Firing, "a")).collect();
        db.commit(Batch { changes: vec![], history }).await.unwrap();
        assert_eq!(db.prune(Timestamp::from_millis(11_100)).await.unwrap(), 11_000);
        assert_eq!(db.prune(Timestamp::from_millis(11_100)).await.unwrap(), 0);
        let left = db.history(&HistoryFilter { limit: 5_000, ..HistoryFilter::default() }).await.unwrap();
        assert_eq!((left.len(), left.last().unwrap().at), (1_000, 11_000));
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
#[ignore = "measures: run with --release --nocapture"]
async fn a_hundred_thousand_alerts_in_one_batch() {
    use crate::model::Clock;
    let clock = crate::model::SystemClock::new();
    for place in Place::all().await {
        let db = open(&place.config).await;
        let router = RouterState { groups: vec![], notification_log: vec![], outbox: vec![], ..rows::router(100_000) };
        let changes = puts(&RulesState::default(), &router);
        let started = clock.monotonic();
        assert_eq!(commit(&db, changes).await, Durability::Durable);
        let committed = clock.monotonic();
        assert_eq!(db.load_router().await.unwrap().alerts.len(), 100_000);
        println!("commit {:?}, load {:?}", committed - started, clock.monotonic() - committed);
        db.close().await.unwrap();
        place.end().await;
    }
}
