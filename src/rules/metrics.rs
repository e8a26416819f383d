//! What rules say of themselves: Prometheus' names, which dashboards and alert mixins use, and Belfry's own beside them.

use crate::metrics::{
    Gauge, GaugeVec, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, counter, counter_vec,
    gauge, gauge_vec, histogram, int_gauge, int_gauge_vec,
};

const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The metrics of all groups.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    evaluations: IntCounterVec,
    failures: IntCounterVec,
    iterations: IntCounterVec,
    missed: IntCounterVec,
    interval: GaugeVec,
    last_duration: GaugeVec,
    last_rule_duration_sum: GaugeVec,
    last_evaluation: GaugeVec,
    last_samples: GaugeVec,
    rules: GaugeVec,
    last_restore_duration: GaugeVec,
    pub(super) evaluation_duration: Histogram,
    pub(super) group_duration: Histogram,
    alerts: IntGaugeVec,
    pub(super) unannounced: IntGauge,
    pub(super) announce_failures: IntCounter,
    pub(super) template_failures: IntCounter,
    pub(super) panics: IntCounter,
    pub(super) queries_in_flight: IntGauge,
    pub(super) queries_limit: Gauge,
    pub(super) clock_steps: IntCounter,
}

/// The metrics of one group: all there from its start, gone with [`GroupMetrics::remove`].
#[derive(Debug, Clone)]
pub(super) struct GroupMetrics {
    label: String,
    all: Metrics,
    pub(super) evaluations: IntCounter,
    pub(super) failures: IntCounter,
    pub(super) iterations: IntCounter,
    pub(super) missed: IntCounter,
    pub(super) interval: Gauge,
    pub(super) last_duration: Gauge,
    pub(super) last_rule_duration_sum: Gauge,
    pub(super) last_evaluation: Gauge,
    pub(super) last_samples: Gauge,
    pub(super) rules: Gauge,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Self {
        let by_group = ["rule_group"];
        let counters = |name: &str, help: &str| counter_vec(registry, name, help, &by_group);
        let gauges = |name: &str, help: &str| gauge_vec(registry, name, help, &by_group);
        let metrics = Metrics {
            evaluations: counters("prometheus_rule_evaluations_total", "Evaluations of rules."),
            failures: counters("prometheus_rule_evaluation_failures_total", "Evaluations of rules that failed."),
            iterations: counters(
                "prometheus_rule_group_iterations_total",
                "Iterations of rule groups that were due, missed ones included.",
            ),
            missed: counters(
                "prometheus_rule_group_iterations_missed_total",
                "Iterations of rule groups that were missed since the one before took too long.",
            ),
            interval: gauges("prometheus_rule_group_interval_seconds", "The interval of a rule group."),
            last_duration: gauges("prometheus_rule_group_last_duration_seconds", "How long the last iteration took."),
            last_rule_duration_sum: gauges(
                "prometheus_rule_group_last_rule_duration_sum_seconds",
                "How long the evaluations of the last iteration took, added up.",
            ),
            last_evaluation: gauges(
                "prometheus_rule_group_last_evaluation_timestamp_seconds",
                "When the last iteration began, in seconds since the epoch.",
            ),
            last_samples: gauges(
                "prometheus_rule_group_last_evaluation_samples",
                "Samples that the last iteration gave.",
            ),
            rules: gauges("prometheus_rule_group_rules", "Rules of a group."),
            last_restore_duration: gauges(
                "prometheus_rule_group_last_restore_duration_seconds",
                "How long taking up the stored alerts of a group took.",
            ),
            evaluation_duration: histogram(
                registry,
                "prometheus_rule_evaluation_duration_seconds",
                "How long an evaluation of a rule took.",
                &SECONDS,
            ),
            group_duration: histogram(
                registry,
                "prometheus_rule_group_duration_seconds",
                "How long an iteration of a rule group took.",
                &SECONDS,
            ),
            alerts: int_gauge_vec(registry, "belfry_rules_alerts", "Alerts of rules, by state.", &["state"]),
            unannounced: int_gauge(
                registry,
                "belfry_rules_unannounced_alerts",
                "Announcements that were not taken and are tried again.",
            ),
            announce_failures: counter(
                registry,
                "belfry_rules_announce_failures_total",
                "Announcements of alerts that were not taken at once.",
            ),
            template_failures: counter(
                registry,
                "belfry_rules_template_failures_total",
                "Templates of labels and annotations that failed.",
            ),
            panics: counter(registry, "belfry_rules_panics_total", "Iterations of rule groups that ended in a defect."),
            queries_in_flight: int_gauge(
                registry,
                "belfry_rules_queries_in_flight",
                "Queries of rules that are being answered.",
            ),
            queries_limit: gauge(
                registry,
                "belfry_rules_queries_limit",
                "Queries of rules that may be asked at a time.",
            ),
            clock_steps: counter(
                registry,
                "belfry_rules_clock_steps_total",
                "Steps of the wall clock, and pauses of the machine, that groups have seen.",
            ),
        };
        for state in ["pending", "firing"] {
            metrics.alerts.with_label_values(&[state]).set(0);
        }
        metrics
    }

    pub(super) fn group(&self, label: String) -> GroupMetrics {
        let of = [label.as_str()];
        GroupMetrics {
            evaluations: self.evaluations.with_label_values(&of),
            failures: self.failures.with_label_values(&of),
            iterations: self.iterations.with_label_values(&of),
            missed: self.missed.with_label_values(&of),
            interval: self.interval.with_label_values(&of),
            last_duration: self.last_duration.with_label_values(&of),
            last_rule_duration_sum: self.last_rule_duration_sum.with_label_values(&of),
            last_evaluation: self.last_evaluation.with_label_values(&of),
            last_samples: self.last_samples.with_label_values(&of),
            rules: self.rules.with_label_values(&of),
            all: self.clone(),
            label,
        }
    }

    /// Counts alerts that came or went.
    pub(super) fn alerts_changed(&self, pending: i64, firing: i64) {
        self.alerts.with_label_values(&["pending"]).add(pending);
        self.alerts.with_label_values(&["firing"]).add(firing);
    }
}

impl GroupMetrics {
    /// The one series that is not there before there is something to say.
    pub(super) fn restored(&self, seconds: f64) {
        self.all.last_restore_duration.with_label_values(&[self.label.as_str()]).set(seconds);
    }

    /// The group is no more.
    pub(super) fn remove(&self) {
        let of = [self.label.as_str()];
        let all = &self.all;
        for counters in [&all.evaluations, &all.failures, &all.iterations, &all.missed] {
            // What is not there need not go.
            let _ = counters.remove_label_values(&of);
        }
        for gauges in [
            &all.interval,
            &all.last_duration,
            &all.last_rule_duration_sum,
            &all.last_evaluation,
            &all.last_samples,
            &all.rules,
            &all.last_restore_duration,
        ] {
            let _ = gauges.remove_label_values(&of);
        }
    }
}
