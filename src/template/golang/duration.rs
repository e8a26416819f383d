//! `time.Duration`: nanoseconds, and Go's text for them.

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// `1m30.5s`, `1h0m0s`, `1ms`, `0s`.
pub(crate) fn text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < SECOND {
        let (unit, name) = match magnitude {
            ..MICROSECOND => (1, "ns"),
            MICROSECOND..MILLISECOND => (MICROSECOND, "µs"),
            _ => (MILLISECOND, "ms"),
        };
        return format!("{sign}{}{name}", decimal(magnitude, unit));
    }
    let minutes = magnitude / (60 * SECOND);
    let seconds = decimal(magnitude % (60 * SECOND), SECOND);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `value / unit` with as many decimals as are needed.
fn decimal(value: u64, unit: u64) -> String {
    let digits = usize::try_from(unit.ilog10()).unwrap_or(0);
    let fraction = value % unit;
    if fraction == 0 {
        return (value / unit).to_string();
    }
    let fraction = format!("{fraction:0digits$}");
    format!("{}.{}", value / unit, fraction.trim_end_matches('0'))
}

/// Rounds towards zero to a multiple of `unit`.
pub(crate) fn truncate(nanos: i64, unit: i64) -> i64 {
    if unit <= 0 { nanos } else { nanos - nanos % unit }
}

/// Rounds half away from zero to a multiple of `unit`.
pub(crate) fn round(nanos: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanos;
    }
    let rest = nanos % unit;
    let toward_zero = nanos - rest;
    if rest.unsigned_abs() * 2 < unit.unsigned_abs() {
        return toward_zero;
    }
    toward_zero.saturating_add(unit * rest.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_go_prints_them() {
        let cases = [
            (90_500_000_000, "1m30.5s"),
            (3_600_000_000_000, "1h0m0s"),
            (1_000_000, "1ms"),
            (1_500, "1.5µs"),
            (-1, "-1ns"),
            (0, "0s"),
            (5_400_000_000_000, "1h30m0s"),
        ];
        for (nanos, want) in cases {
            assert_eq!(text(nanos), want);
        }
        assert_eq!(round(1_500_000_000, 1_000_000_000), 2_000_000_000);
        assert_eq!(round(-1_500_000_000, 1_000_000_000), -2_000_000_000);
        assert_eq!(truncate(-1_500_000_000, 1_000_000_000), -1_000_000_000);
    }
}
