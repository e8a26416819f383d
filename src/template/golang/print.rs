//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf` over the values of templates, misuse texts included.

use gotmpl::Value;

use crate::model::go_quote;
use crate::template::engine::value::{ListKind, MapKind, Object, StructKind, View, as_text, open, type_name};

use super::spec::{Spec, WIDEST};
use super::{duration, float, time};

/// `%v`.
pub(crate) fn display(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 'v', &Spec::default());
    out
}

/// `fmt.Sprint`: blanks between operands when neither is a string.
pub(crate) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Safe { .. });
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(' ');
        }
        write(&mut out, value, 'v', &Spec::default());
    }
    out
}

/// `fmt.Sprintln`.
pub(crate) fn sprintln(values: &[Value]) -> String {
    let mut out = values.iter().map(display).collect::<Vec<_>>().join(" ");
    out.push('\n');
    out
}

/// `fmt.Sprintf`.
pub(crate) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut printer = Printer { out: String::with_capacity(format.len() + 16), values, next: 0, reordered: false };
    printer.run(format);
    printer.out
}

struct Printer<'a> {
    out: String,
    values: &'a [Value],
    next: usize,
    reordered: bool,
}

impl Printer<'_> {
    fn run(&mut self, format: &str) {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            self.out.push_str(&rest[..at]);
            rest = self.directive(&rest[at + 1..]);
        }
        self.out.push_str(rest);
        if !self.reordered && self.next < self.values.len() {
            self.out.push_str("%!(EXTRA ");
            for (index, value) in self.values[self.next..].iter().enumerate() {
                if index > 0 {
                    self.out.push_str(", ");
                }
                match value {
                    Value::Nil => self.out.push_str("<nil>"),
                    value => {
                        self.out.push_str(type_name(value));
                        self.out.push('=');
                        write(&mut self.out, value, 'v', &Spec::default());
                    }
                }
            }
            self.out.push(')');
        }
    }

    /// One directive; returns what follows it.
    fn directive<'f>(&mut self, format: &'f str) -> &'f str {
        let mut spec = Spec::default();
        let mut rest = format;
        loop {
            match rest.as_bytes().first() {
                Some(b'#') => spec.sharp = true,
                Some(b'0') => spec.zero = true,
                Some(b'+') => spec.plus = true,
                Some(b'-') => spec.minus = true,
                Some(b' ') => spec.space = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        let mut well_indexed = true;
        rest = self.argument_number(rest, &mut well_indexed);
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            match self.integer_argument() {
                Some(width) => {
                    spec.minus |= width < 0;
                    spec.width = usize::try_from(width.abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
        } else {
            let (width, after) = number(rest);
            (spec.width, rest) = (width, after);
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = self.argument_number(after, &mut well_indexed);
            if let Some(after) = rest.strip_prefix('*') {
                rest = after;
                match self.integer_argument() {
                    Some(precision) => spec.precision = usize::try_from(precision).ok(),
                    None => self.out.push_str("%!(BADPREC)"),
                }
            } else {
                let (precision, after) = number(rest);
                spec.precision = Some(precision.unwrap_or(0));
                rest = after;
            }
        }
        rest = self.argument_number(rest, &mut well_indexed);
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return rest;
        };
        rest = &rest[verb.len_utf8()..];
        match self.values.get(self.next) {
            _ if verb == '%' => self.out.push('%'),
            _ if !well_indexed => self.out.push_str(&format!("%!{verb}(BADINDEX)")),
            None => self.out.push_str(&format!("%!{verb}(MISSING)")),
            Some(value) => {
                self.next += 1;
                write(&mut self.out, value, verb, &spec);
            }
        }
        rest
    }

    /// `[3]`.
    fn argument_number<'f>(&mut self, format: &'f str, well_indexed: &mut bool) -> &'f str {
        let Some(inside) = format.strip_prefix('[') else { return format };
        self.reordered = true;
        let Some((index, rest)) = inside.split_once(']') else {
            *well_indexed = false;
            return inside;
        };
        match index.parse::<usize>() {
            Ok(index) if index >= 1 && index <= self.values.len() => self.next = index - 1,
            _ => *well_indexed = false,
        }
        rest
    }

    fn integer_argument(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(value) if value.abs() <= WIDEST => Some(*value),
            _ => None,
        }
    }
}

/// The decimal number that a text starts with.
fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = text.split_at(digits);
    let widest = usize::try_from(WIDEST).unwrap_or(usize::MAX);
    (digits.parse().ok().filter(|number| *number <= widest), rest)
}

/// Appends a value under a verb.
pub(crate) fn write(out: &mut String, value: &Value, verb: char, spec: &Spec) {
    if verb == 'T' {
        let name = if matches!(value, Value::Nil) { "<nil>" } else { type_name(value) };
        return spec.text(out, name);
    }
    match open(value) {
        View::Nil if verb == 'v' => spec.pad(out, "<nil>"),
        View::Nil => out.push_str(&format!("%!{verb}(<nil>)")),
        View::Bool(value) if matches!(verb, 't' | 'v') => spec.pad(out, if value { "true" } else { "false" }),
        View::Int(number) => integer(out, value, number < 0, number.unsigned_abs(), verb, spec),
        View::Uint(number) => integer(out, value, false, number, verb, spec),
        View::Float(number) => float_verb(out, value, number, verb, spec),
        View::Text(text) | View::Safe(_, text) => text_verb(out, value, text, verb, spec),
        View::Object(object) => write_object(out, value, &object, verb, spec),
        View::Bool(_) => bad_verb(out, value, verb, spec),
    }
}

fn bad_verb(out: &mut String, value: &Value, verb: char, spec: &Spec) {
    out.push_str(&format!("%!{verb}({}=", type_name(value)));
    write(out, value, 'v', spec);
    out.push(')');
}

fn integer(out: &mut String, value: &Value, negative: bool, magnitude: u64, verb: char, spec: &Spec) {
    match verb {
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => spec.integer(out, negative, magnitude, verb),
        'c' | 'q' | 'U' => {
            let known = if negative { None } else { u32::try_from(magnitude).ok().and_then(char::from_u32) };
            let c = known.unwrap_or('\u{FFFD}');
            match verb {
                'c' => spec.pad(out, c.encode_utf8(&mut [0; 4])),
                'q' => spec.pad(out, &quote_char(c)),
                _ => spec.pad(out, &format!("U+{magnitude:04X}")),
            }
        }
        _ => bad_verb(out, value, verb, spec),
    }
}

fn quote_char(c: char) -> String {
    match c {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let quoted = go_quote(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

fn float_verb(out: &mut String, value: &Value, number: f64, verb: char, spec: &Spec) {
    let text = match verb {
        'v' => float::format(number, 'g', spec.precision),
        'g' | 'G' => float::format(number, verb, spec.precision),
        'e' | 'E' | 'f' | 'F' => float::format(number, verb, Some(spec.precision.unwrap_or(6))),
        'x' => float::hexadecimal(number, spec.precision),
        'X' => float::hexadecimal(number, spec.precision).to_ascii_uppercase(),
        _ => return bad_verb(out, value, verb, spec),
    };
    spec.float(out, &text);
}

fn text_verb(out: &mut String, value: &Value, text: &str, verb: char, spec: &Spec) {
    match verb {
        'v' | 's' => spec.text(out, text),
        'q' => {
            let cut = spec.cut(text);
            let raw = spec.sharp && !cut.contains(|c: char| c == '`' || (c.is_control() && c != '\t'));
            spec.pad(out, &if raw { format!("`{cut}`") } else { go_quote(cut) });
        }
        'x' | 'X' => spec.hex(out, text, verb == 'X'),
        _ => bad_verb(out, value, verb, spec),
    }
}

fn write_object(out: &mut String, value: &Value, object: &Object, verb: char, spec: &Spec) {
    // What has a `String` method shows that under every verb that suits a string.
    if matches!(verb, 'v' | 's' | 'q' | 'x' | 'X')
        && let Some(text) = stringer(object)
    {
        return text_verb(out, value, &text, verb, spec);
    }
    match object {
        Object::Duration { nanos: number, .. } | Object::Month(number) | Object::Weekday(number) => {
            integer(out, value, *number < 0, number.unsigned_abs(), verb, spec);
        }
        Object::Time { .. } => bad_verb(out, value, verb, spec),
        Object::List(_, items) => sequence(out, "[", items.iter(), "]", verb, spec),
        Object::Struct(record) => {
            let pointer = matches!(record.kind, StructKind::Data | StructKind::Sample);
            let open = if pointer && verb != 'v' { "&{" } else { "{" };
            sequence(out, open, record.fields.iter().map(|(_, value)| value), "}", verb, spec);
        }
        Object::Map(_, entries) => {
            out.push_str("map[");
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write(out, &Value::String(key.clone()), verb, spec);
                out.push(':');
                write(out, value, verb, spec);
            }
            out.push(']');
        }
    }
}

fn sequence<'a>(
    out: &mut String,
    open: &str,
    items: impl Iterator<Item = &'a Value>,
    close: &str,
    verb: char,
    spec: &Spec,
) {
    out.push_str(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write(out, item, verb, spec);
    }
    out.push_str(close);
}

/// The text of those that have Go's `String` method.
fn stringer(object: &Object) -> Option<String> {
    match object {
        Object::Time { at, .. } => Some(at.to_string()),
        Object::Duration { nanos, .. } => Some(duration::text(*nanos)),
        Object::Month(month) => Some(time::month_name(*month).to_owned()),
        Object::Weekday(day) => Some(time::weekday_name(*day).to_owned()),
        Object::List(ListKind::Pairs, pairs) => Some(joined(pairs.iter().filter_map(|pair| match open(pair) {
            View::Object(Object::Struct(pair)) => Some((field(&pair, "Name"), field(&pair, "Value"))),
            _ => None,
        }))),
        // In the order of its sorted pairs.
        Object::Map(MapKind::Kv, entries) => {
            let pairs =
                entries.iter().map(|(name, value)| (name.to_string(), as_text(value).map_or("", |v| v).to_owned()));
            let (first, rest): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| name == "alertname");
            Some(joined(first.into_iter().chain(rest)))
        }
        _ => None,
    }
}

fn field(record: &crate::template::engine::value::Struct, name: &str) -> String {
    record.get(name).and_then(as_text).map(ToString::to_string).unwrap_or_default()
}

fn joined(pairs: impl Iterator<Item = (String, String)>) -> String {
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LabelSet;
    use crate::template::engine::value::text;

    fn check(format: &str, values: &[Value], want: &str) {
        assert_eq!(sprintf(format, values), want, "{format}");
    }

    #[test]
    fn sprintf_is_gos_misuse_included() {
        let float = Value::Float;
        check("%d", &[float(1.5)], "%!d(float64=1.5)");
        check("%s", &[float(1e6)], "%!s(float64=1e+06)");
        check("%d %d", &[Value::Int(1)], "1 %!d(MISSING)");
        check("%d", &[Value::Int(1), Value::Int(2), text("x"), float(1.5)], "1%!(EXTRA int=2, string=x, float64=1.5)");
        check("%*d|%[2]d %[1]d", &[Value::Int(5), Value::Int(42)], "   42|42 5");
        check(
            "%6.2f|%-8s|%8s|%08.3f|%+.2e",
            &[float(3.13659), text("ab"), text("ab"), float(-3.13659), float(12345.678)],
            "  3.14|ab      |      ab|-003.137|+1.23e+04",
        );
        check(
            "%-5d|%05d|%+d|%t|%c|%U|%o|%#x|%%",
            &[
                Value::Int(42),
                Value::Int(42),
                Value::Int(42),
                Value::Bool(true),
                Value::Int(65),
                Value::Int(0x1F600),
                Value::Int(8),
                Value::Int(255),
            ],
            "42   |00042|+42|true|A|U+1F600|10|0xff|%",
        );
        check(
            "%x|% x|%X|%.2s|%q",
            &[text("hi"), text("hi"), text("hi"), text("abc"), text("a\"b")],
            "6869|68 69|6869|ab|\"a\\\"b\"",
        );
        check("%v %d %s", &[Value::Nil, Value::Nil, Value::Int(5)], "<nil> %!d(<nil>) %!s(int=5)");
        check("%!|%z", &[Value::Int(1)], "%!!(int=1)|%!z(MISSING)");
        check("%6.2v|%g", &[float(123_456.0), float(1e20)], "1.2e+05|1e+20");
        check("%q %T %v", &[Value::Int(5), Value::Float(1.0), Value::Bool(false)], "'\\x05' float64 false");
        check("%", &[], "%!(NOVERB)");
    }

    #[test]
    fn composite_values_print_as_in_go() {
        let labels = LabelSet::from_pairs([("a", "1"), ("alertname", "Up"), ("z", "2")]);
        assert_eq!(display(&Object::map(MapKind::Kv, &labels)), "alertname=Up, a=1, z=2");
        assert_eq!(display(&Object::map(MapKind::Labels, &labels)), "map[a:1 alertname:Up z:2]");
        assert_eq!(display(&Object::list(ListKind::Strings, [text("x"), text("y")])), "[x y]");
        check(
            "%q|%d",
            &[
                Object::list(ListKind::Strings, [text("x"), text("y")]),
                Object::map(MapKind::Labels, &LabelSet::from_pairs([("a", "b")])),
            ],
            "[\"x\" \"y\"]|map[%!d(string=a):%!d(string=b)]",
        );
        check(
            "%d|%s|%d",
            &[Object::duration(1_000_000_000), Object::duration(1_000_000_000), Object::Month(1).seal()],
            "1000000000|1s|1",
        );
    }

    #[test]
    fn sprint_puts_blanks_only_between_what_is_no_text() {
        let values = [Value::Int(1), Value::Int(2), text("a"), text("b"), Value::Int(3), Value::Nil, Value::Nil];
        assert_eq!(sprint(&values), "1 2ab3 <nil> <nil>");
        assert_eq!(sprintln(&[Value::Int(1), text("a")]), "1 a\n");
    }
}
