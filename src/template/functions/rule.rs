//! Functions of rules alone (contract prometheus §c).

use std::net::Ipv6Addr;
use std::sync::Arc;

use gotmpl::Value;

use super::{Table, exactly, string};
use crate::template::number::{self, number};
use crate::template::print::{self, four_digits};
use crate::template::run;
use crate::template::value::{Map, dict, duration, list, text, time};

pub(super) const TABLE: Table = &[
    ("query", |args| {
        let [expression] = exactly::<1>(args)?;
        let expression = string(expression)?;
        run::look(|run| match run.answers.get(expression) {
            Some(answer) => answer.clone(),
            None => {
                run.asked = Some(expression.to_owned());
                Err("not answered yet".to_owned())
            }
        })?
    }),
    ("first", |args| match exactly::<1>(args)? {
        [Value::List(items)] => {
            items.first().cloned().ok_or_else(|| "first() called on vector with no elements".to_owned())
        }
        _ => Err("first() needs the answer of a query".to_owned()),
    }),
    ("label", |args| exactly::<2>(args).and_then(|[name, sample]| label(string(name)?, sample))),
    ("strvalue", |args| exactly::<1>(args).and_then(|[sample]| label("__value__", sample))),
    ("value", |args| {
        let [sample] = exactly::<1>(args)?;
        sample.field("Value").cloned().ok_or_else(|| "value() needs a sample".to_owned())
    }),
    ("sortByLabel", |args| {
        let [name, items] = exactly::<2>(args)?;
        let (name, Value::List(items)) = (string(name)?, items) else {
            return Err("sortByLabel() needs the answer of a query".to_owned());
        };
        let mut sorted = items.to_vec();
        sorted.sort_by_cached_key(|sample| label(name, sample).map(|value| value.to_string()).unwrap_or_default());
        Ok(list(sorted))
    }),
    ("args", |args| {
        let entry = |(index, value): (usize, &Value)| (Arc::from(format!("arg{index}")), value.clone());
        Ok(dict(args.iter().enumerate().map(entry).collect::<Map>()))
    }),
    ("humanize", |args| exactly::<1>(args).and_then(|[a]| number(a)).map(|a| text(number::humanize(a)))),
    ("humanize1024", |args| exactly::<1>(args).and_then(|[a]| number(a)).map(|a| text(number::humanize1024(a)))),
    ("humanizePercentage", |args| {
        exactly::<1>(args).and_then(|[a]| number(a)).map(|a| text(number::humanize_percentage(a)))
    }),
    ("humanizeTimestamp", |args| {
        let number = exactly::<1>(args).and_then(|[a]| number(a))?;
        if !number.is_finite() {
            return Ok(text(four_digits(number)));
        }
        instant(number).map(|(secs, nanos)| text(print::time((secs, nanos, "UTC"), true)))
    }),
    ("toTime", |args| {
        let number = exactly::<1>(args).and_then(|[a]| number(a))?;
        instant(number).map(|(secs, nanos)| time(secs, nanos, "UTC"))
    }),
    ("toDuration", |args| {
        let number = exactly::<1>(args).and_then(|[a]| number(a))?;
        match number.is_finite() && (number * 1e9).abs() < i64::MAX as f64 {
            true => Ok(duration((number * 1e9) as i64)),
            false => Err(format!("{} cannot be represented as a duration", print::float(number))),
        }
    }),
    ("now", |args| {
        exactly::<0>(args)?;
        run::look(|run| Value::Float(run.now.as_secs_f64()))
    }),
    ("parseDuration", |args| {
        let [given] = exactly::<1>(args)?;
        let given = string(given)?;
        let (sign, unsigned) = match given.strip_prefix('-') {
            Some(rest) => (-1.0, rest),
            None => (1.0, given.strip_prefix('+').unwrap_or(given)),
        };
        let parsed = crate::model::parse_duration(unsigned).map_err(|error| error.to_string())?;
        Ok(Value::Float(sign * parsed.as_secs_f64()))
    }),
    ("stripPort", |args| {
        exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(split_port(a).map_or(a, |(host, _)| host)))
    }),
    ("stripDomain", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(strip_domain(a)))),
    ("graphLink", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(link(a, 0)))),
    ("tableLink", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(link(a, 1)))),
    ("pathPrefix", |args| {
        exactly::<0>(args)?;
        let url = run::look(|run| run.external_url.clone())?;
        Ok(text(url::Url::parse(&url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()))
    }),
    ("externalURL", |args| {
        exactly::<0>(args)?;
        run::look(|run| text(&run.external_url))
    }),
    ("urlQueryEscape", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(gotmpl::url_encode(a)))),
];

fn label(name: &str, sample: &Value) -> Result<Value, String> {
    match sample.field("Labels") {
        Some(Value::Map(labels)) => Ok(labels.get(name).cloned().unwrap_or_else(|| text(""))),
        _ => Err("label() needs a sample".to_owned()),
    }
}

/// Seconds and nanoseconds of a number of seconds, to the millisecond.
fn instant(number: f64) -> Result<(i64, u32), String> {
    if !number.is_finite() || (number * 1e9).abs() >= i64::MAX as f64 {
        return Err(format!(
            "{} cannot be represented as a nanoseconds timestamp since it overflows int64",
            print::float(number)
        ));
    }
    let nanos = (number * 1e3).round() as i64 * 1_000_000;
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
    Ok((nanos.div_euclid(1_000_000_000), rest))
}

/// Host and port, as Go's `net.SplitHostPort`.
fn split_port(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(rest) => Some((rest.strip_suffix(']')?, port)),
        None if host.contains(':') => None,
        None => Some((host, port)),
    }
}

fn strip_domain(address: &str) -> String {
    let (host, port) = split_port(address).map_or((address, None), |(host, port)| (host, Some(port)));
    let is_ip = host.parse::<std::net::IpAddr>().is_ok();
    let short = if is_ip { host } else { host.split('.').next().unwrap_or(host) };
    match port {
        Some(port) if short.parse::<Ipv6Addr>().is_ok() => format!("[{short}]:{port}"),
        Some(port) => format!("{short}:{port}"),
        None => short.to_owned(),
    }
}

fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", gotmpl::url_encode(expression).replace("%20", "+"))
}
