//! `slack_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

use super::Globals;
use super::reader::{Form, Reader};
use super::scalar::HttpUrl;
use super::shown::{self, Shown};

/// The one URL whose messages can be updated.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// What a templated key is where it is not set.
macro_rules! slack_default {
    ($name:literal) => {
        concat!("{{ template \"slack.default.", $name, "\" . }}")
    };
}

/// One Slack integration, completed from the globals. Texts are templates and may be empty, unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct SlackConfig {
    pub http: HttpConfig,
    pub target: SlackTarget,
    pub channel: String,
    pub username: String,
    pub color: String,
    pub title: String,
    pub title_link: String,
    pub pretext: String,
    pub text: String,
    /// The message's own text, above the attachment.
    pub message_text: String,
    pub fields: Vec<SlackField>,
    /// What a field's `short` is where it is not set.
    pub short_fields: bool,
    pub footer: String,
    pub fallback: String,
    pub callback_id: String,
    pub icon_emoji: String,
    pub icon_url: String,
    pub image_url: String,
    pub thumb_url: String,
    pub link_names: bool,
    /// As written, no templates; see [`SlackConfig::markdown_in`].
    pub mrkdwn_in: Vec<String>,
    pub actions: Vec<SlackAction>,
    /// Update the group's message instead of posting another: only ever with a webhook that is
    /// `https://slack.com/api/chat.postMessage`.
    pub update_message: bool,
}

/// Where messages go, and how they prove where they come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SlackTarget {
    /// To a secret URL (or the one in a file).
    Webhook(SecretSource),
    /// To the app's URL with a bearer token; the HTTP configuration then has no `authorization` of its own.
    App { token: SecretSource, url: HttpUrl },
}

/// One field of the attachment; title and value are never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackField {
    pub title: String,
    pub value: String,
    /// Unset: as [`SlackConfig::short_fields`].
    pub short: Option<bool>,
}

/// One button: with a URL a link, else with a name that is told to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackAction {
    /// The key `type`.
    pub kind: String,
    pub text: String,
    /// Not empty: `name`, `value` and `confirm` are empty.
    pub url: String,
    pub style: String,
    pub name: String,
    pub value: String,
    pub confirm: Option<SlackConfirmation>,
}

/// What a button asks before it acts; only `text` is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfirmation {
    pub text: String,
    pub title: String,
    pub ok_text: String,
    pub dismiss_text: String,
}

impl SlackConfig {
    pub(super) fn read(reader: &mut Reader<'_, '_>, globals: &Globals) -> Option<SlackConfig> {
        let local_http = reader.http_config();
        let update_message = reader.boolean("update_message", false);
        let target = target(reader, globals, local_http.as_ref(), update_message);
        let short_fields = reader.boolean("short_fields", false);
        let fields = reader.objects("fields", field);
        let actions = reader.objects("actions", action);
        Some(SlackConfig {
            channel: reader.template("channel", ""),
            username: reader.template("username", slack_default!("username")),
            color: reader.template("color", slack_default!("color")),
            title: reader.template("title", slack_default!("title")),
            title_link: reader.template("title_link", slack_default!("titlelink")),
            pretext: reader.template("pretext", slack_default!("pretext")),
            text: reader.template("text", slack_default!("text")),
            message_text: reader.template("message_text", ""),
            fields,
            short_fields,
            footer: reader.template("footer", slack_default!("footer")),
            fallback: reader.template("fallback", slack_default!("fallback")),
            callback_id: reader.template("callback_id", slack_default!("callbackid")),
            icon_emoji: reader.template("icon_emoji", slack_default!("iconemoji")),
            icon_url: reader.template("icon_url", slack_default!("iconurl")),
            image_url: reader.template("image_url", ""),
            thumb_url: reader.template("thumb_url", ""),
            link_names: reader.boolean("link_names", false),
            mrkdwn_in: reader.texts("mrkdwn_in"),
            actions,
            update_message,
            http: local_http.unwrap_or_else(|| globals.http.clone()),
            target: target?,
        })
    }

    /// A token's URL and authorization are derived, so they are not shown: the peer's loader refuses them beside it.
    pub(super) fn show(&self, shown: &mut Shown) {
        shown.http(&self.http);
        match &self.target {
            // No secret, and needed to load again.
            SlackTarget::Webhook(_) if self.update_message => shown.put("api_url", POST_MESSAGE),
            SlackTarget::Webhook(source) => shown.secret("api_url", Some(source)),
            SlackTarget::App { token, url } => {
                shown.secret("app_token", Some(token));
                shown.put("app_url", url.shown());
            }
        }
        shown.texts([
            ("username", &self.username),
            ("color", &self.color),
            ("title", &self.title),
            ("title_link", &self.title_link),
            ("pretext", &self.pretext),
            ("text", &self.text),
            ("footer", &self.footer),
            ("fallback", &self.fallback),
            ("callback_id", &self.callback_id),
            ("icon_emoji", &self.icon_emoji),
            ("icon_url", &self.icon_url),
        ]);
        shown.text("channel", &self.channel);
        shown.text("message_text", &self.message_text);
        shown.text("image_url", &self.image_url);
        shown.text("thumb_url", &self.thumb_url);
        shown.list("fields", self.fields.iter().map(SlackField::shown).collect());
        shown.put("short_fields", self.short_fields);
        shown.put("link_names", self.link_names);
        shown.list("mrkdwn_in", self.mrkdwn_in.iter().map(|part| part.as_str().into()).collect());
        shown.list("actions", self.actions.iter().map(SlackAction::shown).collect());
        shown.put("update_message", self.update_message);
    }

    /// The attachment's parts that hold Markdown.
    pub fn markdown_in(&self) -> Vec<&str> {
        match self.mrkdwn_in.is_empty() {
            true => vec!["fallback", "pretext", "text"],
            false => self.mrkdwn_in.iter().map(String::as_str).collect(),
        }
    }
}

impl SlackField {
    fn shown(&self) -> serde_json::Value {
        let mut shown = Shown::default();
        shown.texts([("title", &self.title), ("value", &self.value)]);
        if let Some(short) = self.short {
            shown.put("short", short);
        }
        shown.into_value()
    }
}

impl SlackAction {
    fn shown(&self) -> serde_json::Value {
        let mut shown = Shown::default();
        shown.texts([("type", &self.kind), ("text", &self.text)]);
        for (key, text) in [("url", &self.url), ("style", &self.style), ("name", &self.name), ("value", &self.value)] {
            shown.text(key, text);
        }
        if let Some(confirm) = &self.confirm {
            let texts = [
                ("text", confirm.text.as_str()),
                ("title", &confirm.title),
                ("ok_text", &confirm.ok_text),
                ("dismiss_text", &confirm.dismiss_text),
            ];
            shown.put("confirm", shown::object(texts));
        }
        shown.into_value()
    }
}

/// Decides between webhook and app, in the order of contract alertmanager §1.7.
fn target(
    reader: &mut Reader<'_, '_>,
    globals: &Globals,
    local_http: Option<&HttpConfig>,
    update_message: bool,
) -> Option<SlackTarget> {
    let webhook = reader.credential(["api_url", "api_url_file"], Form::SecretUrl);
    let token = reader.credential(["app_token", "app_token_file"], Form::Secret);
    let app_url = reader.url("app_url").or_else(|| globals.url("slack_app_url").cloned());
    if let (Some(webhook), Some(token)) = (&webhook, &token) {
        let message = "api_url or api_url_file do not go with app_token or app_token_file";
        reader.error_with_help(webhook.position.max(token.position), message, "give one of the four");
    }
    if update_message && !is_post_message(webhook.as_ref().map(|given| &given.source)) {
        let at = reader.position_of("update_message");
        let help = format!("set api_url to {POST_MESSAGE}, and a token in http_config.authorization");
        reader.error_with_help(at, "update_message works with one URL only", &help);
    }

    let authorized_here = local_http.is_some_and(HttpConfig::has_authorization);
    let url_here = webhook.as_ref().is_some_and(|given| matches!(given.source, SecretSource::Inline(_)));
    let token_at = token.as_ref().map(|given| given.position);
    let token = token.map(|given| given.source).or_else(|| {
        let from_global = globals.secret("slack_app_token").filter(|_| !authorized_here && !url_here)?;
        if let Some(unused) = &webhook {
            reader.warning(unused.position, "api_url_file has no effect: slack_app_token in global comes before it");
        }
        Some(from_global.clone())
    });
    let webhook = webhook.map(|given| given.source).or_else(|| globals.secret("slack_api_url").cloned());
    match (token, webhook, app_url) {
        (Some(token), _, Some(url)) => {
            if local_http.unwrap_or(&globals.http).has_authorization() {
                let at = token_at.unwrap_or_else(|| reader.section.position());
                let help = "leave one of the two out";
                reader.error_with_help(at, "an app token does not go with http_config.authorization", help);
            }
            Some(SlackTarget::App { token, url })
        }
        (Some(_), _, None) => {
            reader.missing("app_url", "set it here, or slack_app_url in global");
            None
        }
        (None, Some(webhook), _) => Some(SlackTarget::Webhook(webhook)),
        (None, None, _) => {
            let url_is_tried = reader.is_tried(["api_url", "api_url_file"], Form::SecretUrl);
            if !url_is_tried && !reader.is_tried(["app_token", "app_token_file"], Form::Secret) {
                let help = "set api_url or app_token here, or slack_api_url or slack_app_token in global";
                reader.missing("a URL or an app token", help);
            }
            None
        }
    }
}

fn is_post_message(source: Option<&SecretSource>) -> bool {
    matches!(source, Some(SecretSource::Inline(url)) if url.expose() == POST_MESSAGE)
}

fn field(reader: &mut Reader<'_, '_>) -> SlackField {
    SlackField {
        title: required(reader, "title"),
        value: required(reader, "value"),
        short: reader.optional_boolean("short"),
    }
}

fn action(reader: &mut Reader<'_, '_>) -> SlackAction {
    let (kind, text) = (required(reader, "type"), required(reader, "text"));
    let (url, name) = (reader.template("url", ""), reader.template("name", ""));
    let style = reader.template("style", "");
    let value = reader.template("value", "");
    let confirm = reader.object("confirm", |confirm| SlackConfirmation {
        text: required(confirm, "text"),
        title: confirm.template("title", ""),
        ok_text: confirm.template("ok_text", ""),
        dismiss_text: confirm.template("dismiss_text", ""),
    });
    match (url.is_empty(), name.is_empty()) {
        (false, _) => SlackAction { kind, text, url, style, name: String::new(), value: String::new(), confirm: None },
        (true, is_nameless) => {
            if is_nameless {
                reader.missing("url or name", "");
            }
            SlackAction { kind, text, url, style, name, value, confirm }
        }
    }
}

fn required(reader: &mut Reader<'_, '_>, key: &'static str) -> String {
    let text = reader.template(key, "");
    if text.is_empty() {
        reader.missing(key, "");
    }
    text
}
