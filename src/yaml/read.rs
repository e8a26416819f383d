//! Reading a tree into values: every scalar by the type that is wanted of it (YAML 1.1, as Go's yaml.v2 has it), every
//! unknown key found, all findings gathered.

use super::{Findings, Node, Position, Scalar, Style, Value, suggest};

/// One value's reader: a message for a finding if the node does not fit.
pub type Want<'a, T> = fn(&'a Node) -> Result<T, String>;

impl Node {
    /// `~`, `null` or nothing, unquoted.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(Scalar { text, style: Style::Plain })
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A scalar's text as it was written (`on`, `1.10`); null is the empty text.
    pub fn text(&self) -> Result<&str, String> {
        match &self.value {
            Value::Scalar(_) if self.is_null() => Ok(""),
            Value::Scalar(scalar) => Ok(&scalar.text),
            Value::Sequence(_) => Err("expected a string, found a list".to_owned()),
            Value::Mapping(_) => Err("expected a string, found a mapping".to_owned()),
        }
    }

    /// YAML 1.1's booleans, unquoted.
    pub fn boolean(&self) -> Result<bool, String> {
        match &self.value {
            Value::Scalar(Scalar { text, style: Style::Plain }) => {
                yaml_bool(text).ok_or_else(|| format!("expected a boolean, found {text:?}"))
            }
            Value::Scalar(Scalar { text, .. }) => Err(format!("expected a boolean, found the string {text:?}")),
            _ => Err("expected a boolean".to_owned()),
        }
    }

    /// YAML 1.1's integers: decimal, `0x`, `0b`, octal by a leading zero, `_` between digits.
    pub fn integer(&self) -> Result<i64, String> {
        match &self.value {
            Value::Scalar(Scalar { text, style: Style::Plain }) => {
                yaml_int(text).ok_or_else(|| format!("expected an integer, found {text:?}"))
            }
            Value::Scalar(Scalar { text, .. }) => Err(format!("expected an integer, found the string {text:?}")),
            _ => Err("expected an integer".to_owned()),
        }
    }

    pub fn float(&self) -> Result<f64, String> {
        match &self.value {
            Value::Scalar(Scalar { text, style: Style::Plain }) => yaml_int(text)
                .map(|int| int as f64)
                .or_else(|| yaml_float(text))
                .ok_or_else(|| format!("expected a number, found {text:?}")),
            _ => Err("expected a number".to_owned()),
        }
    }

    /// A list's items; null is the empty list.
    pub fn items(&self) -> Result<&[Node], String> {
        match &self.value {
            Value::Sequence(items) => Ok(items),
            _ if self.is_null() => Ok(&[]),
            Value::Scalar(scalar) => Err(format!("expected a list, found {:?}", scalar.text)),
            Value::Mapping(_) => Err("expected a list, found a mapping".to_owned()),
        }
    }

    /// A mapping's entries; null is the empty mapping.
    pub fn entries(&self) -> Result<&[(Node, Node)], String> {
        match &self.value {
            Value::Mapping(entries) => Ok(entries),
            _ if self.is_null() => Ok(&[]),
            Value::Scalar(scalar) => Err(format!("expected a mapping, found {:?}", scalar.text)),
            Value::Sequence(_) => Err("expected a mapping, found a list".to_owned()),
        }
    }
}

/// A mapping being read: keys are taken one by one, and what is left over at the end is unknown.
pub struct Section<'a> {
    position: Position,
    entries: &'a [(Node, Node)],
    /// What a finding calls this place: `global`, `route`, `rule "Down"`.
    name: String,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Starts on a mapping (or null, which has no keys). Anything else is a finding.
    pub fn open(node: &'a Node, name: impl Into<String>, findings: &mut Findings) -> Option<Self> {
        let name = name.into();
        match node.entries() {
            Ok(entries) => Some(Section { position: node.position, entries, name, known: Vec::new() }),
            Err(message) => {
                findings.error(node.position, format!("{name}: {message}"));
                None
            }
        }
    }

    pub fn position(&self) -> Position {
        self.position
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = name.into();
    }

    /// The value of a key, even if it is null.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.entries.iter().find(|(name, _)| name.text() == Ok(key)).map(|(_, value)| value)
    }

    /// The value of a key, unless it is absent or null (which both leave the default).
    pub fn some(&mut self, key: &'static str) -> Option<&'a Node> {
        self.take(key).filter(|node| !node.is_null())
    }

    /// Reads a key by `want`. Absent and null give `None`; what does not fit is a finding and gives `None` too.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
        want: impl Fn(&'a Node) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.some(key)?;
        match want(node) {
            Ok(value) => Some(value),
            Err(message) => {
                findings.error(node.position, format!("{}: {key}: {message}", self.name));
                None
            }
        }
    }

    pub fn text(&mut self, key: &'static str, findings: &mut Findings) -> Option<String> {
        self.read(key, findings, |node| node.text().map(str::to_owned))
    }

    pub fn boolean(&mut self, key: &'static str, findings: &mut Findings) -> Option<bool> {
        self.read(key, findings, Node::boolean)
    }

    /// Every key that nobody took is a finding, with the known key that is nearest to it.
    pub fn finish(self, findings: &mut Findings) {
        for (key, _) in self.entries {
            let Ok(text) = key.text() else { continue };
            if self.known.contains(&text) {
                continue;
            }
            let message = format!("unknown key {text:?} in {}", self.name);
            match suggest(text, self.known.iter().copied()) {
                Some(near) => findings.error_with_help(key.position, message, format!("did you mean {near:?}?")),
                None => findings.error(key.position, message),
            }
        }
    }
}

/// A free-form value (`details`, `payload`): keeps its YAML types; keys that are no strings stay text.
pub fn free_form(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        _ if node.is_null() => Json::Null,
        Value::Scalar(Scalar { text, style: Style::Plain }) => resolve(text),
        Value::Scalar(Scalar { text, .. }) => Json::String(text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(free_form).collect()),
        Value::Mapping(entries) => Json::Object(
            entries.iter().map(|(key, value)| (key.text().unwrap_or_default().to_owned(), free_form(value))).collect(),
        ),
    }
}

/// A plain scalar by YAML 1.1's own resolution.
fn resolve(text: &str) -> serde_json::Value {
    if let Some(value) = yaml_bool(text) {
        return value.into();
    }
    if let Some(value) = yaml_int(text) {
        return value.into();
    }
    match yaml_float(text).and_then(serde_json::Number::from_f64) {
        Some(number) => serde_json::Value::Number(number),
        None => serde_json::Value::String(text.to_owned()),
    }
}

fn yaml_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn yaml_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = digits.replace('_', "");
    let (radix, plain) = match plain.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &plain[2..]),
        [b'0', b'b' | b'B', ..] => (2, &plain[2..]),
        [b'0', b'o' | b'O', ..] => (8, &plain[2..]),
        [b'0', _, ..] => (8, &plain[1..]),
        _ => (10, plain.as_str()),
    };
    let magnitude = i64::from_str_radix(plain, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

fn yaml_float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // Rust reads "inf", "nan" and "infinity" too, which are words in YAML.
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    let shaped = number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '_'));
    if !shaped {
        return None;
    }
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn json(source: &str) -> String {
        let mut findings = Findings::new("f");
        let document = parse(source, &mut findings).unwrap();
        free_form(&document.root.unwrap()).to_string()
    }

    #[test]
    fn free_form_values_keep_their_yaml_types() {
        let cases = [
            ("yes", "true"),
            ("010", "8"),
            ("1_000", "1000"),
            ("  5 ", "5"),
            ("x: y", r#"{"x":true}"#),
            ("2026-01-02", r#""2026-01-02""#),
            ("\"5\"", r#""5""#),
            ("1.10", "1.1"),
            ("~", "null"),
            ("inf", r#""inf""#),
            ("1.2.3", r#""1.2.3""#),
        ];
        for (source, want) in cases {
            assert_eq!(json(source), want, "{source:?}");
        }
    }

    #[test]
    fn scalars_are_read_by_the_type_that_is_wanted() {
        let mut findings = Findings::new("f");
        let source = "channel: on\nversion: 1.10\nsend: yes\nquoted: 'yes'\nnone:\nport: 010\n";
        let document = parse(source, &mut findings).unwrap();
        let root = document.root.unwrap();
        let mut section = Section::open(&root, "top", &mut findings).unwrap();
        assert_eq!(section.text("channel", &mut findings).as_deref(), Some("on"));
        assert_eq!(section.text("version", &mut findings).as_deref(), Some("1.10"));
        assert_eq!(section.boolean("send", &mut findings), Some(true));
        assert_eq!(section.boolean("quoted", &mut findings), None);
        assert_eq!(section.text("none", &mut findings), None);
        assert_eq!(section.read("port", &mut findings, Node::integer), Some(8));
        section.finish(&mut findings);
        let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["f:4:9: top: quoted: expected a boolean, found the string \"yes\""]);
    }

    #[test]
    fn an_unknown_key_is_found_with_what_was_meant() {
        let mut findings = Findings::new("f");
        let document = parse("recever: x\n", &mut findings).unwrap();
        let root = document.root.unwrap();
        let mut section = Section::open(&root, "route", &mut findings).unwrap();
        section.take("receiver");
        section.finish(&mut findings);
        let found = findings.into_sorted()[0].to_string();
        assert_eq!(found, "f:1:1: unknown key \"recever\" in route\n  help: did you mean \"receiver\"?");
    }
}
