//! Registering a metric. A name that is taken or malformed is a programming error that a test of the room finds; in a
//! running daemon it costs that one metric's visibility, never the daemon.

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

fn register<C: Collector + Clone + Fallback + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
    name: &str,
) -> C {
    let collector = made.unwrap_or_else(|_| C::fallback());
    if let Err(error) = registry.register(Box::new(collector.clone())) {
        debug_assert!(false, "metric {name}: {error}");
        tracing::error!(metric = name, %error, "metric not registered");
    }
    collector
}

/// A nameless stand-in for a metric whose description the library refuses.
trait Fallback {
    fn fallback() -> Self;
}

macro_rules! fallback {
    ($($kind:ty => $made:expr),* $(,)?) => {
        $(impl Fallback for $kind {
            fn fallback() -> Self {
                // Constant, valid names: a test makes each of them.
                $made.expect("the name is valid")
            }
        })*
    };
}

fallback! {
    IntCounter => IntCounter::new("unnamed", "unnamed"),
    IntCounterVec => IntCounterVec::new(Opts::new("unnamed", "unnamed"), &["label"]),
    IntGauge => IntGauge::new("unnamed", "unnamed"),
    IntGaugeVec => IntGaugeVec::new(Opts::new("unnamed", "unnamed"), &["label"]),
    Gauge => Gauge::new("unnamed", "unnamed"),
    GaugeVec => GaugeVec::new(Opts::new("unnamed", "unnamed"), &["label"]),
    Histogram => Histogram::with_opts(HistogramOpts::new("unnamed", "unnamed")),
    HistogramVec => HistogramVec::new(HistogramOpts::new("unnamed", "unnamed"), &["label"]),
}

/// A counter without labels.
pub fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    register(registry, IntCounter::new(name, help), name)
}

/// A counter by `labels`, whose values come from closed sets.
pub fn counter_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels), name)
}

/// A gauge of whole numbers.
pub fn int_gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    register(registry, IntGauge::new(name, help), name)
}

/// A gauge of whole numbers by `labels`.
pub fn int_gauge_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels), name)
}

/// A gauge.
pub fn gauge(registry: &Registry, name: &str, help: &str) -> Gauge {
    register(registry, Gauge::new(name, help), name)
}

/// A gauge by `labels`.
pub fn gauge_vec(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    register(registry, GaugeVec::new(Opts::new(name, help), labels), name)
}

/// A histogram with these upper bounds.
pub fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    register(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())), name)
}

/// A histogram by `labels` with these upper bounds.
pub fn histogram_vec(registry: &Registry, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
    register(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_is_gathered() {
        let registry = Registry::new();
        counter(&registry, "a_total", "A.").inc();
        counter_vec(&registry, "b_total", "B.", &["kind"]).with_label_values(&["x"]).inc();
        let names: Vec<String> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(names, ["a_total", "b_total"]);
    }

    #[test]
    fn every_stand_in_can_be_made() {
        let _ = (IntCounter::fallback(), IntCounterVec::fallback(), IntGauge::fallback(), IntGaugeVec::fallback());
        let _ = (Gauge::fallback(), GaugeVec::fallback(), Histogram::fallback(), HistogramVec::fallback());
    }
}
