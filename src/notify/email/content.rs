//! What a notification looks like as a message: its envelope, its headers, its parts.

use std::sync::Arc;

use chrono::Local;

use crate::model::{Notification, Timestamp, sha256_hex};
use crate::notify::config::{EmailConfig, Threading};
use crate::notify::render::{RenderError, Renderer};

use super::address;
use super::message::{Message, is_header_name};

/// Digits of the group key's hash that name a thread.
const THREAD_DIGITS: usize = 16;
/// RFC 2046 §5.1.1 allows 70.
const BOUNDARY_LENGTH: usize = 60;
/// Headers that say how the body is written, which is not the user's to say.
const OF_THE_BODY: [&str; 3] = ["Content-Type", "Content-Transfer-Encoding", "Mime-Version"];

/// A message and whom it goes to.
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) message: Vec<u8>,
}

pub(super) fn mail(
    config: &EmailConfig,
    host_name: &str,
    now: Timestamp,
    renderer: &Renderer<'_>,
) -> Result<Mail, RenderError> {
    if config.hello.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(RenderError::unfit("hello", "not the name of a host"));
    }
    let from = renderer.text("from", &config.from)?;
    let from = address::parse_one(&from).map_err(|error| RenderError::unfit("from", error.to_string()))?;
    let to = renderer.text("to", &config.to)?;
    let to = address::parse_list(&to).map_err(|error| RenderError::unfit("to", error.to_string()))?;

    let headers = headers(config, host_name, now, renderer)?;
    let text = part(&config.text, |template| renderer.text("text", template))?;
    let html = part(&config.html, |template| renderer.html("html", template))?;
    // Made of the key, so the same at each attempt, and nothing that a part could know.
    let digest = sha256_hex(format!("boundary {}", renderer.notification.idempotency_key).as_bytes());
    let message = Message {
        headers: &headers,
        text: text.as_deref(),
        html: html.as_deref(),
        boundary: &digest[..BOUNDARY_LENGTH],
    };
    Ok(Mail { from, to, message: message.to_bytes() })
}

/// A part is there if its template is, whatever it renders to.
fn part(
    template: &str,
    render: impl FnOnce(&str) -> Result<String, RenderError>,
) -> Result<Option<String>, RenderError> {
    if template.is_empty() { Ok(None) } else { render(template).map(Some) }
}

fn headers(
    config: &EmailConfig,
    host_name: &str,
    now: Timestamp,
    renderer: &Renderer<'_>,
) -> Result<Vec<(String, String)>, RenderError> {
    let notification = renderer.notification;
    let mut headers = Vec::new();
    for (name, template) in &config.headers {
        if !is_header_name(name) {
            return Err(RenderError::unfit("headers", format!("{name:?} is no name of a header")));
        }
        if !OF_THE_BODY.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            headers.push((name.clone(), renderer.text("headers", template)?));
        }
    }
    let mut add = |name: &str, value: String| {
        if !headers.iter().any(|(configured, _)| configured.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), value));
        }
    };
    add("Message-Id", format!("<{}@{host_name}>", notification.idempotency_key));
    if let Some(threading) = config.threading {
        let thread = thread(threading, notification);
        add("References", thread.clone());
        add("In-Reply-To", thread);
    }
    add("Date", now.to_datetime().with_timezone(&Local).format("%a, %d %b %Y %H:%M:%S %z").to_string());
    Ok(headers)
}

/// The message, never sent, that a group's messages answer.
fn thread(threading: Threading, notification: &Notification) -> String {
    let day = match threading {
        Threading::Group => String::new(),
        Threading::GroupAndDay => notification.tick.to_datetime().with_timezone(&Local).format("%Y-%m-%d").to_string(),
    };
    format!("<alert-{}-{day}@alertmanager>", &notification.group_key.hash()[..THREAD_DIGITS])
}

/// This machine's name as far as it can stand in a message id, else `belfry`.
pub(super) fn host_name() -> Arc<str> {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let name = name.unwrap_or_default();
    let name = name.trim().trim_matches('.');
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    Arc::from(if fits { name } else { "belfry" })
}
