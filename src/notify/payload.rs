//! The body of a notification as Alertmanager's webhook has it (contract alertmanager §8.7), and JSON as Go writes it,
//! which is what receivers have been tested against.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::model::{AlertStatus, LabelSet, Notification, NotifiedAlert};

/// The end of an alert that has none: Go's zero time.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// The webhook body; the order of its fields is the order on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    receiver: String,
    status: &'static str,
    alerts: Vec<AlertBody<'a>>,
    #[serde(rename = "notification_reason")]
    reason: &'static str,
    group_labels: &'a LabelSet,
    common_labels: LabelSet,
    common_annotations: LabelSet,
    route_labels: &'a LabelSet,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertBody<'a> {
    status: &'static str,
    labels: &'a LabelSet,
    annotations: &'a LabelSet,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

impl<'a> Message<'a> {
    /// At most `max_alerts` alerts are listed; status and what is common are those of all of them, listed or not, so a
    /// limit never turns a firing group into a resolved one.
    pub(super) fn new(
        notification: &'a Notification,
        route_labels: &'a LabelSet,
        external_url: &'a str,
        max_alerts: Option<usize>,
    ) -> Self {
        let alerts = &notification.alerts;
        let listed = max_alerts.map_or(alerts.len(), |max| max.min(alerts.len()));
        Message {
            receiver: quote_meta(&notification.integration.receiver),
            status: notification.status().as_str(),
            alerts: alerts[..listed].iter().map(AlertBody::new).collect(),
            reason: notification.reason.as_str(),
            group_labels: &notification.group_labels,
            common_labels: common(alerts.iter().map(|alert| &alert.alert.labels)),
            common_annotations: common(alerts.iter().map(|alert| &alert.alert.annotations)),
            route_labels,
            external_url,
            version: "4",
            group_key: notification.group_key.as_str(),
            truncated_alerts: alerts.len() - listed,
        }
    }
}

impl<'a> AlertBody<'a> {
    fn new(notified: &'a NotifiedAlert) -> Self {
        let ends_at = match (notified.status, notified.ends_at) {
            (AlertStatus::Resolved, Some(at)) => at.to_rfc3339(),
            _ => NO_END.to_owned(),
        };
        AlertBody {
            status: notified.status.as_str(),
            labels: &notified.alert.labels,
            annotations: &notified.alert.annotations,
            starts_at: notified.starts_at.to_rfc3339(),
            ends_at,
            generator_url: &notified.alert.generator_url,
            fingerprint: notified.alert.labels.fingerprint().to_string(),
        }
    }
}

/// The pairs that are the same in every set.
fn common<'a>(mut sets: impl Iterator<Item = &'a LabelSet> + Clone) -> LabelSet {
    let Some(first) = sets.next() else { return LabelSet::empty() };
    first.iter().filter(|(name, value)| sets.clone().all(|set| set.value(name) == *value)).collect()
}

/// Go's `regexp.QuoteMeta`: the receiver's name is quoted so, on the wire too.
fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// JSON as Go's encoder writes it, with the newline at its end.
///
/// # Errors
/// A value that has no JSON form.
pub(super) fn to_go_json<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, GoFormatter);
    value.serialize(&mut serializer)?;
    out.push(b'\n');
    Ok(out)
}

/// `<`, `>`, `&` and the two separators that JavaScript takes for line ends are escaped, and floats are as short as
/// Go's.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut written = 0;
        for (at, c) in fragment.char_indices() {
            let escape = match c {
                '<' => "\\u003c",
                '>' => "\\u003e",
                '&' => "\\u0026",
                '\u{2028}' => "\\u2028",
                '\u{2029}' => "\\u2029",
                _ => continue,
            };
            writer.write_all(&fragment.as_bytes()[written..at])?;
            writer.write_all(escape.as_bytes())?;
            written = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        // Both languages write the shortest digits that read back the same; they part over exponents and `.0`.
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{value:e}");
            return match text.split_once('e') {
                Some((digits, exponent)) if !exponent.starts_with('-') => write!(writer, "{digits}e+{exponent}"),
                _ => writer.write_all(text.as_bytes()),
            };
        }
        write!(writer, "{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn go_json<T: Serialize>(value: &T) -> String {
        String::from_utf8(to_go_json(value).unwrap()).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_go_escapes_them() {
        let text = "<a> & \"b\" \\ \u{2028}\u{2029} é \t\n\u{8}\u{c}\u{1}\u{7f}";
        let want = "\"\\u003ca\\u003e \\u0026 \\\"b\\\" \\\\ \\u2028\\u2029 é \\t\\n\\b\\f\\u0001\u{7f}\"\n";
        assert_eq!(go_json(&text), want);
    }

    #[test]
    fn floats_are_as_short_as_gos() {
        let cases = [
            (1.0, "1"),
            (1.1, "1.1"),
            (-0.5, "-0.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000_001, "0.000001"),
            (0.0, "0"),
        ];
        for (value, want) in cases {
            assert_eq!(go_json(&value).trim_end(), want);
        }
    }

    #[test]
    fn the_golden_group_is_written_byte_for_byte() {
        let notification = testing::golden();
        let route_labels = LabelSet::from_pairs([("owner", "ops-eu1")]);
        let message = Message::new(&notification, &route_labels, "http://am.example:9093", None);
        assert_eq!(go_json(&message), testing::golden_file("webhook.json"));
    }

    #[test]
    fn a_limit_leaves_status_and_what_is_common_alone() {
        let mut notification = testing::golden();
        notification.alerts.reverse();
        let route_labels = LabelSet::empty();
        let message = Message::new(&notification, &route_labels, "", Some(1));
        assert_eq!(message.alerts.len(), 1);
        assert_eq!(message.truncated_alerts, 1);
        assert_eq!(message.alerts[0].status, "resolved");
        assert_eq!(message.status, "firing");
        assert_eq!(message.common_labels.get("instance"), None);
    }

    #[test]
    fn a_receivers_name_is_quoted_for_a_regex() {
        assert_eq!(quote_meta("team.x (a|b) é-#"), "team\\.x \\(a\\|b\\) é-#");
    }
}
