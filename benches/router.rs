//! The delivery core by itself: intake of heartbeats over 100,000 alerts and 1,000 routes, and a flush of 10,000 groups.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

use std::sync::Arc;
use std::time::Duration;

use belfry::model::{Alert, IntegrationId, LabelSet, MatcherMode, PostedAlert, Receiver, Timestamp, Way};
use belfry::router::config::{Sections, read};
use belfry::router::{Core, Event, Gate, LabelLimits, Options, Route, RouterConfig, admit};
use belfry::yaml::{Findings, Position, Section, parse};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

struct Open;

impl Gate for Open {
    fn holds_back(&self, _: &Alert, _: Option<&Route>, _: Timestamp) -> Option<&'static str> {
        None
    }
}

const ALERTS: usize = 100_000;

fn config(routes: usize, group_by: &str) -> Option<Arc<RouterConfig>> {
    let mut yaml = format!("receiver: r\ngroup_by: [{group_by}]\ngroup_wait: 0s\nroutes:\n");
    for n in 0..routes {
        yaml.push_str(&format!("- matchers: ['team=t{n}']\n"));
    }
    let mut findings = Findings::new("bench");
    let document = parse(&yaml, &mut findings)?;
    let root = document.root?;
    let sections = Sections {
        route: Some(&root),
        inhibit_rules: None,
        time_intervals: None,
        mute_time_intervals: None,
        at: Section::open(&root, "bench", &mut findings).map_or(Position::default(), |section| section.position()),
    };
    let id = IntegrationId { receiver: "r".into(), kind: "webhook", index: 0 };
    let ways = vec![Way { id, send_resolved: true, timeout: None }];
    let receiver = Receiver { name: "r".into(), labels: LabelSet::from_pairs([("name", "r")]), ways };
    let timeout = Duration::from_secs(300);
    read(&sections, vec![receiver], timeout, MatcherMode::default(), &mut findings).map(Arc::new)
}

fn alerts(groups: usize, now: Timestamp) -> Vec<Alert> {
    let posted = (0..ALERTS).map(|n| PostedAlert {
        labels: LabelSet::from_pairs([
            ("alertname", format!("Alert{}", n % groups)),
            ("team", format!("t{}", n % 1000)),
            ("instance", format!("host-{n}:9100")),
            ("job", "node".to_owned()),
            ("cluster", "eu1".to_owned()),
            ("severity", "page".to_owned()),
            ("zone", "a".to_owned()),
            ("device", "sda".to_owned()),
            ("path", "/var/lib".to_owned()),
        ]),
        annotations: LabelSet::from_pairs([("summary", "something is wrong")]),
        starts_at: Some(Timestamp::from_secs(1_800_000_000)),
        ends_at: None,
        generator_url: "http://prometheus.example/graph".into(),
        lease: None,
    });
    let timeout = Duration::from_secs(300);
    posted
        .filter_map(|posted| admit(posted, now, timeout, MatcherMode::default(), LabelLimits::default()).ok())
        .collect()
}

fn loaded(config: &Arc<RouterConfig>, groups: usize) -> (Core, Timestamp) {
    let now = Timestamp::from_secs(1_800_000_100);
    let mut core = Core::new(config.clone(), Arc::new(Open), Options::default(), now);
    core.on([Event::Update(alerts(groups, now))], now);
    (core, now)
}

fn intake(criterion: &mut Criterion) {
    let Some(config) = config(1000, "alertname") else { return };
    let mut group = criterion.benchmark_group("intake");
    group.sample_size(10).throughput(Throughput::Elements(ALERTS as u64));
    group.bench_function("heartbeats of 100k alerts, 1,000 routes", |bench| {
        let (mut core, now) = loaded(&config, 1000);
        let later = now + Duration::from_secs(1);
        bench.iter_batched(
            || alerts(1000, later),
            |alerts| core.on([Event::Update(alerts)], later),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("100k new alerts, 1,000 routes", |bench| {
        let now = Timestamp::from_secs(1_800_000_100);
        bench.iter_batched(
            || (Core::new(config.clone(), Arc::new(Open), Options::default(), now), alerts(1000, now)),
            |(mut core, alerts)| core.on([Event::Update(alerts)], now),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn flush(criterion: &mut Criterion) {
    let Some(config) = config(0, "alertname") else { return };
    let mut group = criterion.benchmark_group("flush");
    group.sample_size(10).throughput(Throughput::Elements(10_000));
    group.bench_function("10k groups of ten alerts", |bench| {
        bench.iter_batched(
            || loaded(&config, 10_000),
            |(mut core, now)| core.on([], now + Duration::from_secs(301)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, intake, flush);
criterion_main!(benches);
