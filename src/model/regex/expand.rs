//! Go's replacement texts: `$1`, `${1}`, `$name`, `${name}`, `$$`.

use regex::Captures;

/// Appends `template` with its references replaced. A reference to what is no group is empty; a dollar sign that starts
/// none stays.
pub(super) fn expand(template: &str, groups: &Captures<'_>, names: &[(String, usize)], out: &mut String) {
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('$') {
        out.push_str(text);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            out.push('$');
            continue;
        };
        rest = after;
        let group = match number(name) {
            Some(number) => groups.get(number),
            // A name may stand for several groups; the first that took part counts.
            None => names.iter().filter(|(known, _)| known == name).find_map(|(_, number)| groups.get(*number)),
        };
        out.push_str(group.map_or("", |group| group.as_str()));
    }
    out.push_str(rest);
}

/// The longest name after a dollar sign, in braces or not.
fn reference(rest: &str) -> Option<(&str, &str)> {
    let (braced, body) = match rest.strip_prefix('{') {
        Some(body) => (true, body),
        None => (false, rest),
    };
    let end = body.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(body.len());
    let (name, after) = body.split_at(end);
    if name.is_empty() {
        return None;
    }
    Some((name, if braced { after.strip_prefix('}')? } else { after }))
}

/// A group's number; with a leading zero it is a name.
fn number(name: &str) -> Option<usize> {
    if name.len() > 1 && name.starts_with('0') {
        return None;
    }
    name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok()).flatten()
}
