//! Functions of notifications alone (contract alertmanager §8.3).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use gotmpl::{SafeKind, Value};

use super::json::json;
use super::text::safe;
use super::{Table, exactly, string};
use crate::template::method::join;
use crate::template::run;
use crate::template::value::{Map, dict, list, text};

pub(super) const TABLE: Table = &[
    ("trimSpace", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(a.trim()))),
    ("join", |args| {
        let [separator, items] = exactly::<2>(args)?;
        match items {
            Value::List(items) if items.iter().all(|item| item.as_str().is_some()) => {
                Ok(join(items, string(separator)?))
            }
            _ => Err("wrong type for value; expected []string".to_owned()),
        }
    }),
    ("stringSlice", |args| {
        args.iter().map(string).collect::<Result<Vec<_>, _>>().map(|all| list(all.iter().map(text)))
    }),
    ("list", |args| Ok(list(args.iter().cloned()))),
    ("append", |args| match args {
        [Value::List(items), more @ ..] => Ok(list(items.iter().chain(more).cloned())),
        _ => Err("append: want a list first".to_owned()),
    }),
    ("dict", |args| {
        if args.len() % 2 == 1 {
            return Err("dict: odd number of arguments".to_owned());
        }
        let entry = |pair: &[Value]| Ok((Arc::from(string(&pair[0])?), pair[1].clone()));
        args.chunks(2).map(entry).collect::<Result<Map, String>>().map(dict)
    }),
    ("toJson", |args| {
        let [value] = exactly::<1>(args)?;
        let written = json(value);
        run::check_size(written.len())?;
        Ok(text(written))
    }),
    ("base64encode", |args| exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(URL_SAFE.encode(a)))),
    ("base64decode", |args| {
        let [coded] = exactly::<1>(args)?;
        let bytes = URL_SAFE.decode(string(coded)?).map_err(|error| format!("illegal base64 data: {error}"))?;
        Ok(text(String::from_utf8_lossy(&bytes)))
    }),
    ("urlUnescape", |args| {
        let [coded] = exactly::<1>(args)?;
        unescape(string(coded)?).map(text)
    }),
    ("safeUrl", |args| exactly::<1>(args).map(|[content]| safe(content, SafeKind::Url))),
    ("routeLabels", |args| {
        let [name] = exactly::<1>(args)?;
        let name = string(name)?;
        run::look(|run| text(run.route_labels.get(name).map_or("", String::as_str)))
    }),
];

/// Go's `url.QueryUnescape`.
fn unescape(coded: &str) -> Result<String, String> {
    let spaced = coded.replace('+', " ");
    let bytes = spaced.as_bytes();
    for (at, _) in spaced.match_indices('%') {
        let hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        if !(hex(1) && hex(2)) {
            let wrong = spaced.get(at..(at + 3).min(spaced.len())).unwrap_or("%");
            return Err(format!("invalid URL escape {}", crate::model::go_quote(wrong)));
        }
    }
    Ok(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}
