//! Belfry's own metrics: a registry that is handed in (never static, so tests share nothing), and the helpers by which
//! every room registers its own.

mod register;

pub use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
};
pub use register::{counter, counter_vec, gauge, gauge_vec, histogram, histogram_vec, int_gauge, int_gauge_vec};
