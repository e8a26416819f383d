//! Storage that fails: decisions go on, and what they changed is written when it comes back.

use std::time::Duration;

use super::place::SmallDisk;
use super::{Batch, Change, Durability, PATIENCE, Place, commit, eventually, open, put_meta, rows, try_open};
use crate::db::{AlertRow, Db, HistoryFilter, HistoryKind, Location, NewHistory};
use crate::metrics::Registry;

fn large(n: i64) -> Change {
    Change::PutAlert(AlertRow { labels: "x".repeat(60_000).into(), ..rows::alert(n) })
}

async fn degrade(db: &Db) -> i64 {
    for n in 0..1000 {
        if commit(db, vec![large(n)]).await == Durability::Degraded {
            assert!(db.is_degraded());
            return n;
        }
    }
    panic!("storage never failed");
}

#[tokio::test]
async fn a_quota_that_is_met_degrades_and_space_that_comes_back_ends_it() {
    let mut place = Place::sqlite();
    place.config.degraded_after = Duration::from_millis(100);
    place.config.max_pages = Some(120);
    let registry = Registry::new();
    let clock = std::sync::Arc::new(crate::model::SystemClock::new());
    let db = Db::open(&place.config, clock, &registry).await.unwrap();
    let last = degrade(&db).await;
    assert_eq!(gauge(&registry, "belfry_storage_degraded"), 1.0);
    assert_eq!(commit(&db, vec![put_meta("router_digest", "new")]).await, Durability::Degraded);
    assert_eq!(db.meta("router_digest").await.unwrap(), None);

    let deletes = (0..=last).map(|n| Change::DeleteAlert { fingerprint: rows::alert(n).fingerprint });
    commit(&db, deletes.chain([Change::PutAlertState(rows::alert_state(1))]).collect()).await;
    eventually("storage is good again", async || !db.is_degraded()).await;
    assert_eq!(gauge(&registry, "belfry_storage_degraded"), 0.0);
    assert_eq!(db.meta("router_digest").await.unwrap().as_deref(), Some("new"));
    let router = db.load_router().await.unwrap();
    assert_eq!((router.alerts.len(), router.alert_states), (0, vec![rows::alert_state(1)]));
    assert_eq!(commit(&db, vec![put_meta("router_digest", "newer")]).await, Durability::Durable);
    let told = HistoryFilter { kind: Some(HistoryKind::Degraded), ..HistoryFilter::default() };
    eventually("both ends of it are history", async || db.history(&told).await.unwrap().len() == 2).await;
    db.close().await.unwrap();
}

fn gauge(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    family.get_metric()[0].get_gauge().get_value()
}

#[tokio::test]
async fn a_full_disk_degrades_and_space_that_comes_back_ends_it() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut config = disk.config();
    config.degraded_after = Duration::from_millis(100);
    let db = open(&config).await;
    commit(&db, vec![put_meta("router_digest", "old")]).await;
    disk.fill();
    let last = degrade(&db).await;
    assert_eq!(db.meta("router_digest").await.unwrap().as_deref(), Some("old"), "reading goes on");
    assert_eq!(commit(&db, vec![put_meta("router_digest", "new")]).await, Durability::Degraded);
    disk.free();
    eventually("storage is good again", async || !db.is_degraded()).await;
    db.close().await.unwrap();

    let db = open(&config).await;
    assert_eq!(db.meta("router_digest").await.unwrap().as_deref(), Some("new"));
    assert_eq!(db.load_router().await.unwrap().alerts.len(), usize::try_from(last + 1).unwrap());
    db.close().await.unwrap();
}

#[tokio::test]
async fn storage_that_can_only_be_read_starts_degraded_and_is_written_once_it_can_be() {
    let Some(disk) = SmallDisk::mount() else { return };
    let config = disk.config();
    let db = open(&config).await;
    commit(&db, vec![Change::PutAlert(rows::alert(1))]).await;
    db.close().await.unwrap();
    disk.set_read_only(true);

    let db = open(&config).await;
    assert!(db.is_degraded());
    assert!(db.is_sole_owner());
    assert_eq!(db.load_router().await.unwrap().alerts, [rows::alert(1)]);
    assert_eq!(commit(&db, vec![Change::PutAlert(rows::alert(2))]).await, Durability::Degraded);
    assert_eq!(db.prune(crate::model::Timestamp::MAX).await.unwrap(), 0);
    disk.set_read_only(false);
    eventually("storage is good again", async || !db.is_degraded()).await;
    assert_eq!(db.load_router().await.unwrap().alerts, [rows::alert(1), rows::alert(2)]);
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_at_the_start_is_degraded_storage_too() {
    let Some(disk) = SmallDisk::mount() else { return };
    let config = disk.config();
    let db = open(&config).await;
    commit(&db, vec![Change::PutAlert(rows::alert(1))]).await;
    db.close().await.unwrap();
    disk.fill();
    let db = open(&config).await;
    assert!(db.is_degraded());
    assert_eq!(db.load_router().await.unwrap().alerts, [rows::alert(1)]);
    assert_eq!(commit(&db, vec![Change::PutAlert(rows::alert(2))]).await, Durability::Degraded);
    assert!(db.close().await.is_err(), "closing says that something was not saved");
    disk.free();
    open(&config).await.close().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_can_only_be_read_and_holds_no_state_is_an_error() {
    let Some(disk) = SmallDisk::mount() else { return };
    disk.set_read_only(true);
    assert!(try_open(&disk.config()).await.is_err());
}

#[tokio::test]
async fn a_database_that_goes_away_degrades_and_is_written_when_it_is_back() {
    for mut place in Place::all().await {
        let Location::Url(_) = &place.config.location else { continue };
        place.config.degraded_after = Duration::from_millis(200);
        let db = open(&place.config).await;
        assert!(!db.is_sole_owner());
        let mut other = place.connect().await;
        let lock = "BEGIN; LOCK TABLE replicas IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
        assert_eq!(commit(&db, vec![Change::PutAlert(rows::alert(1))]).await, Durability::Degraded);
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        eventually("storage is good again", async || !db.is_degraded()).await;
        assert_eq!(db.load_router().await.unwrap().alerts, [rows::alert(1)]);
        db.close().await.unwrap();
        sqlx::Connection::close(other).await.unwrap();
        place.end().await;
    }
}

#[tokio::test]
async fn a_commit_waits_while_failing_is_young_and_becomes_durable_if_it_ends_in_time() {
    let mut place = Place::sqlite();
    place.config.degraded_after = PATIENCE;
    let registry = Registry::new();
    let clock = std::sync::Arc::new(crate::model::SystemClock::new());
    let db = Db::open(&place.config, clock, &registry).await.unwrap();
    let mut other = place.connect().await;
    sqlx::raw_sql("BEGIN; UPDATE meta SET value = value").execute(&mut other).await.unwrap();
    let waits = {
        let db = db.clone();
        tokio::spawn(async move { commit(&db, vec![Change::PutAlert(rows::alert(1))]).await })
    };
    eventually("an attempt has failed", async || counter(&registry, "belfry_storage_commit_failures_total") > 0.0)
        .await;
    assert!(!db.is_degraded());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(waits.await.unwrap(), Durability::Durable);
    sqlx::Connection::close(other).await.unwrap();
    db.close().await.unwrap();
}

fn counter(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    family.get_metric()[0].get_counter().get_value()
}

#[tokio::test]
async fn only_so_much_unsaved_history_is_kept_and_what_drops_is_the_oldest_and_counted() {
    let mut place = Place::sqlite();
    place.config.degraded_after = Duration::ZERO;
    let registry = Registry::new();
    let clock = std::sync::Arc::new(crate::model::SystemClock::new());
    let db = Db::open(&place.config, clock, &registry).await.unwrap();
    let mut other = place.connect().await;
    sqlx::raw_sql("BEGIN; UPDATE meta SET value = value").execute(&mut other).await.unwrap();
    assert_eq!(commit(&db, vec![put_meta("router_digest", "new")]).await, Durability::Degraded);
    let history = (0..100_100).map(|at| NewHistory::new(at, HistoryKind::Decided)).collect();
    assert_eq!(db.commit(Batch { changes: vec![], history }).await.unwrap(), Durability::Degraded);
    let dropped = counter(&registry, "belfry_storage_history_dropped_total");
    assert!(dropped >= 100.0, "{dropped}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    eventually("storage is good again", async || !db.is_degraded()).await;
    let kept = HistoryFilter { kind: Some(HistoryKind::Decided), limit: u32::MAX, ..HistoryFilter::default() };
    let kept = db.history(&kept).await.unwrap();
    assert_eq!(kept.first().map(|row| row.at), Some(100_099));
    assert!(kept.len() <= 100_000 && kept.len() > 99_000, "{}", kept.len());
    sqlx::Connection::close(other).await.unwrap();
    db.close().await.unwrap();
}
