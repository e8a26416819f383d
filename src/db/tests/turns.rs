//! Whose turn it is: locks, tenures, and commits with lost answers.

use std::collections::VecDeque;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row};

use super::{Batch, Change, PATIENCE, Place, commit, open, put_meta, rows, try_open};
use crate::db::attempt::{Job, Outcome, attempt, replicas};
use crate::db::config::Location;
use crate::db::session::{Session, Target};
use crate::db::tenure::Tenure;
use crate::db::{DbError, HistoryFilter, HistoryKind, NewHistory};

async fn run(place: &Place, sql: &str) {
    let mut connection = place.connect().await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

fn one_change() -> Batch {
    Batch { changes: vec![put_meta("router_digest", "x")], history: vec![] }
}

#[tokio::test]
async fn a_second_opener_of_the_same_folder_is_refused() {
    let place = Place::sqlite();
    let db = open(&place.config).await;
    assert!(matches!(try_open(&place.config).await, Err(DbError::Locked { .. })));
    db.close().await.unwrap();
    open(&place.config).await.close().await.unwrap();
}

#[tokio::test]
async fn whoever_takes_the_state_over_deposes_who_had_it() {
    for place in Place::all().await {
        if matches!(place.config.location, Location::Directory(_)) {
            continue; // The lock is before it.
        }
        let first = open(&place.config).await;
        commit(&first, vec![Change::PutAlert(rows::alert(1))]).await;
        let second = open(&place.config).await;
        assert!(matches!(first.commit(one_change()).await, Err(DbError::Deposed)));
        assert_eq!(second.load_router().await.unwrap().alerts, [rows::alert(1)]);
        commit(&second, vec![Change::PutAlert(rows::alert(2))]).await;
        second.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_counter_that_another_has_moved_deposes_for_good() {
    for fence in ["UPDATE replicas SET counter = counter + 1", "DELETE FROM replicas"] {
        for place in Place::all().await {
            let db = open(&place.config).await;
            commit(&db, vec![Change::PutAlert(rows::alert(1))]).await;
            run(&place, fence).await;
            for _ in 0..2 {
                let refused = tokio::time::timeout(PATIENCE, db.commit(one_change())).await.unwrap();
                assert!(matches!(refused, Err(DbError::Deposed)), "{refused:?}");
            }
            assert!(matches!(db.commit(Batch::default()).await, Err(DbError::Deposed)));
            assert!(matches!(db.close().await, Err(DbError::Deposed)));
            let db = open(&place.config).await;
            assert_eq!(db.meta("router_digest").await.unwrap(), None);
            db.close().await.unwrap();
            place.end().await;
        }
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_belfry_is_refused_only_if_it_says_so() {
    for place in Place::all().await {
        open(&place.config).await.close().await.unwrap();
        run(&place, "UPDATE meta SET value = '0.0.9' WHERE name = 'min_binary'").await;
        run(
            &place,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'of a newer belfry', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
        open(&place.config).await.close().await.unwrap();
        run(&place, "UPDATE meta SET value = '99.0.0' WHERE name = 'min_binary'").await;
        assert!(matches!(try_open(&place.config).await, Err(DbError::TooNew { .. })));
        place.end().await;
    }
}

#[tokio::test]
async fn what_is_no_database_is_not_opened() {
    let place = Place::sqlite();
    open(&place.config).await.close().await.unwrap();
    let Location::Directory(folder) = &place.config.location else { unreachable!() };
    std::fs::write(folder.join("belfry.db"), "no database at all, but long enough for a header".repeat(100)).unwrap();
    assert!(matches!(try_open(&place.config).await, Err(DbError::Query(_))));
    let mut config = place.config.clone();
    config.location = Location::Url("mysql://somewhere/else".into());
    assert!(matches!(try_open(&config).await, Err(DbError::Url)));
    config.location = Location::Directory(folder.join("belfry.db"));
    assert!(matches!(try_open(&config).await, Err(DbError::Open { .. })));
}

/// A session and a tenure on a fresh schema, as the writer has them after its first commit.
async fn first_turn(place: &Place) -> (Session, Tenure) {
    open(&place.config).await.close().await.unwrap();
    let target = match &place.config.location {
        Location::Directory(path) => Target::new(&place.config, Some(path)),
        Location::Url(_) => Target::new(&place.config, None),
    };
    let mut session = Session::new(target.unwrap(), None);
    let seen = replicas(&mut session).await.unwrap();
    let mut tenure = Tenure::new("me".into(), 0, seen);
    assert!(matches!(attempt(&mut session, &mut tenure, &Job::default()).await, Outcome::Committed { .. }));
    (session, tenure)
}

/// The tenure as it was before its last commit was answered.
fn without_the_answer(commits: u32) -> Tenure {
    let mut tenure = Tenure::new("me".into(), 0, Vec::new());
    for _ in 0..commits {
        tenure.committed();
    }
    tenure.lost_answer();
    tenure
}

/// A job that cannot be written twice.
fn job() -> Job {
    Job { history: VecDeque::from([(1, NewHistory::new(1, HistoryKind::Start))]), ..Job::default() }
}

#[tokio::test]
async fn a_commit_that_went_through_unanswered_is_not_written_again() {
    for place in Place::all().await {
        let (mut session, mut tenure) = first_turn(&place).await;
        assert!(matches!(attempt(&mut session, &mut tenure, &job()).await, Outcome::Committed { .. }));
        let mut tenure = without_the_answer(1);
        assert!(matches!(attempt(&mut session, &mut tenure, &job()).await, Outcome::Committed { .. }));
        assert!(matches!(attempt(&mut session, &mut tenure, &Job::default()).await, Outcome::Committed { .. }));
        session.close().await;
        let db = open(&place.config).await;
        assert_eq!(db.history(&HistoryFilter::default()).await.unwrap().len(), 1);
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_commit_that_got_lost_is_written_again() {
    for place in Place::all().await {
        let (mut session, _) = first_turn(&place).await;
        let mut tenure = without_the_answer(1);
        assert!(matches!(attempt(&mut session, &mut tenure, &job()).await, Outcome::Committed { .. }));
        assert!(!tenure.is_unsettled());
        session.close().await;
        let db = open(&place.config).await;
        assert_eq!(db.history(&HistoryFilter::default()).await.unwrap().len(), 1);
        db.close().await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_commit_still_under_way_is_waited_for_and_then_recognised() {
    for place in Place::all().await {
        let (mut session, _) = first_turn(&place).await;
        let mut under_way = place.connect().await;
        let sql = "BEGIN; UPDATE replicas SET counter = counter + 1; \
                   INSERT INTO history (id, at, kind) VALUES (1, 1, 'start')";
        sqlx::raw_sql(sql).execute(&mut under_way).await.unwrap();
        let mut tenure = without_the_answer(1);
        let outcome = attempt(&mut session, &mut tenure, &job()).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        assert!(tenure.is_unsettled());
        sqlx::raw_sql("COMMIT").execute(&mut under_way).await.unwrap();
        assert!(matches!(attempt(&mut session, &mut tenure, &job()).await, Outcome::Committed { .. }));
        let counter = sqlx::query("SELECT counter FROM replicas").fetch_one(&mut under_way).await.unwrap();
        assert_eq!(counter.get::<i64, _>(0), 2);
        session.close().await;
        sqlx::Connection::close(under_way).await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn the_state_is_not_claimed_if_others_wrote_since_it_was_read() {
    for place in Place::all().await {
        let (mut session, _) = first_turn(&place).await;
        let stale = vec![(Arc::from("me"), 0)];
        let mut tenure = Tenure::new("you".into(), 0, stale);
        assert!(matches!(attempt(&mut session, &mut tenure, &Job::default()).await, Outcome::Deposed));
        session.close().await;
        place.end().await;
    }
}
