//! The keys of contract alertmanager §1.8, kind by kind.

use std::time::Duration;

use super::other::{Check, Key, Shape, Type};
use super::reader::Form;

/// One of the kinds that cannot be sent yet.
pub(super) struct KindTable {
    pub kind: &'static str,
    /// Its list in a receiver.
    pub section: &'static str,
    pub send_resolved: bool,
    pub http: HttpRule,
    pub shape: &'static Shape,
}

/// What an integration's own `http_config` does to the global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpRule {
    /// Replaces it whole.
    Replace,
    /// Replaces all but the proxy, unless it names one.
    KeepProxy,
    /// Replaces it whole, and counts only if it is the integration's own: so the global one is not shown in its place.
    OwnCounts,
}

const fn key(name: &'static str, kind: Type) -> Key {
    Key { name, kind, required: false }
}

const fn text(name: &'static str) -> Key {
    key(name, Type::Text(""))
}

const fn template(name: &'static str) -> Key {
    key(name, Type::Template(""))
}

const fn template_or(name: &'static str, default: &'static str) -> Key {
    key(name, Type::Template(default))
}

const fn boolean(name: &'static str) -> Key {
    key(name, Type::Boolean)
}

const fn url(global: &'static str) -> Key {
    key("api_url", Type::Url { global, slash: false })
}

const fn url_with_slash(global: &'static str) -> Key {
    key("api_url", Type::Url { global, slash: true })
}

const fn credential([name, file]: [&'static str; 2], form: Form, global: Option<&'static str>) -> Key {
    key(name, Type::Credential { file, form, global, required: true })
}

const fn optional_credential([name, file]: [&'static str; 2], form: Form) -> Key {
    key(name, Type::Credential { file, form, global: None, required: false })
}

const fn webhook_url(global: Option<&'static str>) -> Key {
    credential(["webhook_url", "webhook_url_file"], Form::SecretUrl, global)
}

const fn table(kind: &'static str, section: &'static str, shape: &'static Shape) -> KindTable {
    KindTable { kind, section, send_resolved: true, http: HttpRule::Replace, shape }
}

/// A named template of contract alertmanager §8.5.
macro_rules! named {
    ($name:literal) => {
        concat!("{{ template \"", $name, "\" . }}")
    };
}

fn no_rule(_: &mut Check<'_, '_, '_>) {}

pub(super) static TABLES: [KindTable; 14] = [
    table("pushover", "pushover_configs", &PUSHOVER),
    KindTable { http: HttpRule::OwnCounts, ..table("incidentio", "incidentio_configs", &INCIDENTIO) },
    table("opsgenie", "opsgenie_configs", &OPSGENIE),
    KindTable { send_resolved: false, ..table("wechat", "wechat_configs", &WECHAT) },
    table("victorops", "victorops_configs", &VICTOROPS),
    table("sns", "sns_configs", &SNS),
    table("telegram", "telegram_configs", &TELEGRAM),
    table("discord", "discord_configs", &DISCORD),
    table("webex", "webex_configs", &WEBEX),
    table("msteams", "msteams_configs", &MSTEAMS),
    KindTable { http: HttpRule::KeepProxy, ..table("msteamsv2", "msteamsv2_configs", &MSTEAMSV2) },
    table("jira", "jira_configs", &JIRA),
    KindTable { send_resolved: false, ..table("rocketchat", "rocketchat_configs", &ROCKETCHAT) },
    table("mattermost", "mattermost_configs", &MATTERMOST),
];

static PUSHOVER: Shape = Shape {
    keys: &[
        credential(["user_key", "user_key_file"], Form::SecretTemplate, None),
        credential(["token", "token_file"], Form::SecretTemplate, None),
        template_or("title", named!("pushover.default.title")),
        template_or("message", named!("pushover.default.message")),
        template_or("url", named!("pushover.default.url")),
        template("url_title"),
        template("device"),
        template("sound"),
        template_or("priority", r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#),
        key("retry", Type::GoDuration(Duration::from_secs(60))),
        key("expire", Type::GoDuration(Duration::from_secs(3600))),
        key("ttl", Type::GoDuration(Duration::ZERO)),
        boolean("html"),
        boolean("monospace"),
    ],
    rule: |check| {
        if check.has("html") && check.has("monospace") {
            check.error("monospace", "at most one of html and monospace may be set");
        }
    },
};

static INCIDENTIO: Shape = Shape {
    keys: &[
        credential(["url", "url_file"], Form::Url, None),
        optional_credential(["alert_source_token", "alert_source_token_file"], Form::Secret),
        key("max_alerts", Type::Unsigned),
        key("timeout", Type::Timeout),
    ],
    rule: |check| {
        let has_token = check.has("alert_source_token") || check.has("alert_source_token_file");
        match (has_token, check.has_authorization(), check.http) {
            (true, true, _) => {
                check.error("http_config", "a token does not go with http_config.authorization");
            }
            (false, false, Some(_)) => {
                let help = "set it, alert_source_token_file or http_config.authorization";
                check.reader.missing("alert_source_token", help);
            }
            _ => {}
        }
    },
};

static OPSGENIE: Shape = Shape {
    keys: &[
        credential(["api_key", "api_key_file"], Form::SecretTemplate, Some("opsgenie_api_key")),
        url_with_slash("opsgenie_api_url"),
        template_or("message", named!("opsgenie.default.message")),
        template_or("description", named!("opsgenie.default.description")),
        template_or("source", named!("opsgenie.default.source")),
        key("details", Type::TemplateMap),
        template("entity"),
        key("responders", Type::Objects(&RESPONDER)),
        template("actions"),
        template("tags"),
        template("note"),
        template("priority"),
        boolean("update_alerts"),
    ],
    rule: no_rule,
};

static RESPONDER: Shape = Shape {
    keys: &[template("id"), template("name"), template("username"), template("type")],
    rule: |check| {
        if !["id", "name", "username"].into_iter().any(|key| check.has(key)) {
            check.reader.missing("id, name or username", "set one of them");
        }
        let kind = check.text("type");
        if kind.is_empty() {
            return check.reader.missing("type", "one of team, teams, user, escalation, schedule, or a template");
        }
        let is_known = ["team", "teams", "user", "escalation", "schedule"].contains(&kind.to_lowercase().as_str());
        if !is_known && !kind.contains("{{") {
            let message = format!("type: unknown {kind:?}");
            let at = check.reader.position_of("type");
            check.reader.error_with_help(at, &message, "one of team, teams, user, escalation, schedule, or a template");
        }
    },
};

static WECHAT: Shape = Shape {
    keys: &[
        credential(["api_secret", "api_secret_file"], Form::SecretTemplate, Some("wechat_api_secret")),
        key("corp_id", Type::CorpId),
        url_with_slash("wechat_api_url"),
        template_or("message", named!("wechat.default.message")),
        template_or("to_user", named!("wechat.default.to_user")),
        template_or("to_party", named!("wechat.default.to_party")),
        template_or("to_tag", named!("wechat.default.to_tag")),
        template_or("agent_id", named!("wechat.default.agent_id")),
        key("message_type", Type::ChoiceOrEmpty(&["text", "markdown"])),
    ],
    rule: no_rule,
};

static VICTOROPS: Shape = Shape {
    keys: &[
        credential(["api_key", "api_key_file"], Form::Secret, Some("victorops_api_key")),
        url_with_slash("victorops_api_url"),
        template("routing_key").required(),
        template_or("message_type", "CRITICAL"),
        template_or("state_message", named!("victorops.default.state_message")),
        template_or("entity_display_name", named!("victorops.default.entity_display_name")),
        template_or("monitoring_tool", named!("victorops.default.monitoring_tool")),
        key("custom_fields", Type::TemplateMap),
    ],
    rule: |check| {
        const FIXED: [&str; 7] = [
            "routing_key",
            "message_type",
            "state_message",
            "entity_display_name",
            "monitoring_tool",
            "entity_id",
            "entity_state",
        ];
        for (name, _) in check.reader.entries("custom_fields") {
            if let Some(fixed) = name.text().ok().filter(|name| FIXED.contains(name)) {
                check.reader.error(name.position, &format!("custom_fields: {fixed} is a field that is always sent"));
            }
        }
    },
};

static SNS: Shape = Shape {
    keys: &[
        template("api_url"),
        key("sigv4", Type::Object(&SIGV4)),
        template("topic_arn"),
        template("phone_number"),
        template("target_arn"),
        template_or("subject", named!("sns.default.subject")),
        template_or("message", named!("sns.default.message")),
        key("attributes", Type::TemplateMap),
        boolean("use_aws_http_client"),
    ],
    rule: |check| {
        let targets = ["topic_arn", "phone_number", "target_arn"].into_iter().filter(|key| check.has(key));
        match targets.collect::<Vec<_>>().as_slice() {
            [] => check.reader.missing("topic_arn, phone_number or target_arn", "set one of them"),
            [_] => {}
            [_, .., last] => check.error(last, "at most one of topic_arn, phone_number and target_arn may be given"),
        }
    },
};

static SIGV4: Shape = Shape {
    keys: &[
        text("region"),
        text("access_key"),
        key("secret_key", Type::Secret),
        text("profile"),
        text("role_arn"),
        text("external_id"),
        boolean("use_fips_sts_endpoint"),
        text("service_name"),
    ],
    rule: |check| {
        match (check.has("access_key"), check.has("secret_key")) {
            (true, false) => check.error("access_key", "an access_key needs a secret_key"),
            (false, true) => check.error("secret_key", "a secret_key needs an access_key"),
            _ => {}
        }
        if check.has("external_id") && !check.has("role_arn") {
            check.error("external_id", "an external_id needs a role_arn");
        }
    },
};

static TELEGRAM: Shape = Shape {
    keys: &[
        url("telegram_api_url"),
        credential(["bot_token", "bot_token_file"], Form::Secret, Some("telegram_bot_token")),
        key("chat_id", Type::Integer),
        text("chat_id_file"),
        key("message_thread_id", Type::Integer),
        template_or("message", named!("telegram.default.message")),
        boolean("disable_notifications"),
        key("parse_mode", Type::Choice(&["HTML", "Markdown", "MarkdownV2", ""])),
    ],
    rule: |check| match (check.has("chat_id"), check.has("chat_id_file")) {
        (true, true) => check.error("chat_id_file", "at most one of chat_id and chat_id_file may be given"),
        (false, false) => {
            let is_refused = check.reader.section.some("chat_id").is_some_and(|node| node.integer().is_err());
            if !is_refused {
                check.reader.missing("chat_id or chat_id_file", "");
            }
        }
        _ => {}
    },
};

static DISCORD: Shape = Shape {
    keys: &[
        webhook_url(None),
        template_or("content", named!("discord.default.content")),
        template_or("title", named!("discord.default.title")),
        template_or("message", named!("discord.default.message")),
        text("username"),
        text("avatar_url"),
    ],
    rule: no_rule,
};

static WEBEX: Shape = Shape {
    keys: &[
        url("webex_api_url"),
        template("room_id").required(),
        template_or("message", named!("webex.default.message")),
    ],
    rule: |check| {
        if !check.has_authorization() {
            let help = "the global http_config does not count here";
            check.reader.missing("http_config.authorization", help);
        }
    },
};

static MSTEAMS: Shape = Shape {
    keys: &[
        webhook_url(None),
        template_or("title", named!("msteams.default.title")),
        template_or("summary", named!("msteams.default.summary")),
        template_or("text", named!("msteams.default.text")),
    ],
    rule: no_rule,
};

static MSTEAMSV2: Shape = Shape {
    keys: &[
        webhook_url(None),
        template_or("title", named!("msteamsv2.default.title")),
        template_or("text", named!("msteamsv2.default.text")),
    ],
    rule: no_rule,
};

static JIRA: Shape = Shape {
    keys: &[
        url("jira_api_url"),
        key("api_type", Type::Choice(&["auto", "cloud", "datacenter"])),
        template("project").required(),
        template("issue_type").required(),
        key("summary", Type::TemplateOrObject(named!("jira.default.summary"))),
        key("description", Type::TemplateOrObject(named!("jira.default.description"))),
        key("labels", Type::Templates),
        template_or("priority", named!("jira.default.priority")),
        text("reopen_transition"),
        text("resolve_transition"),
        text("wont_fix_resolution"),
        key("reopen_duration", Type::Duration),
        key("fields", Type::PayloadMap),
    ],
    rule: no_rule,
};

static ROCKETCHAT: Shape = Shape {
    keys: &[
        url("rocketchat_api_url"),
        credential(["token_id", "token_id_file"], Form::Secret, Some("rocketchat_token_id")),
        credential(["token", "token_file"], Form::Secret, Some("rocketchat_token")),
        template("channel"),
        template_or("color", r#"{{ if eq .Status "firing" }}red{{ else }}green{{ end }}"#),
        template_or("title", named!("rocketchat.default.title")),
        template_or("title_link", named!("rocketchat.default.titlelink")),
        template_or("text", named!("rocketchat.default.text")),
        template_or("emoji", named!("rocketchat.default.emoji")),
        template_or("icon_url", named!("rocketchat.default.iconurl")),
        template("image_url"),
        template("thumb_url"),
        key("fields", Type::Objects(&FIELD)),
        boolean("short_fields"),
        boolean("link_names"),
        key("actions", Type::Objects(&ROCKETCHAT_ACTION)),
    ],
    rule: no_rule,
};

static FIELD: Shape =
    Shape { keys: &[template("title"), template("value"), key("short", Type::OptionalBoolean)], rule: no_rule };

static ROCKETCHAT_ACTION: Shape = Shape {
    keys: &[
        template("type"),
        template("text"),
        template("url"),
        template("imageurl"),
        boolean("iswebview"),
        template("webviewheightratio"),
        template("msg"),
        boolean("msginchatwindow"),
        template("msgprocessingtype"),
    ],
    rule: no_rule,
};

static MATTERMOST: Shape = Shape {
    keys: &[
        webhook_url(Some("mattermost_webhook_url")),
        template("channel"),
        template_or("username", named!("mattermost.default.username")),
        template_or("fallback", named!("mattermost.default.fallback")),
        template_or("color", named!("mattermost.default.color")),
        template("pretext"),
        template_or("text", named!("mattermost.default.text")),
        template("author_name"),
        template("author_link"),
        template("author_icon"),
        template_or("title", named!("mattermost.default.title")),
        template_or("title_link", named!("mattermost.default.titlelink")),
        key("fields", Type::Objects(&MATTERMOST_FIELD)),
        template("thumb_url"),
        template("footer"),
        template("footer_icon"),
        template("image_url"),
        template("icon_url"),
        template("icon_emoji"),
        key("attachments", Type::Objects(&MATTERMOST_ATTACHMENT)),
        template("type"),
        key("props", Type::Object(&MATTERMOST_PROPS)),
        key("priority", Type::Object(&MATTERMOST_PRIORITY)),
    ],
    rule: no_rule,
};

static MATTERMOST_FIELD: Shape = Shape {
    keys: &[template("title").required(), template("value").required(), key("short", Type::OptionalBoolean)],
    rule: no_rule,
};

static MATTERMOST_ATTACHMENT: Shape = Shape {
    keys: &[
        template("fallback"),
        template("color"),
        template("pretext"),
        template("text"),
        template("author_name"),
        template("author_link"),
        template("author_icon"),
        template("title"),
        template("title_link"),
        key("fields", Type::Objects(&MATTERMOST_FIELD)),
        template("thumb_url"),
        template("footer"),
        template("footer_icon"),
        template("image_url"),
    ],
    rule: no_rule,
};

static MATTERMOST_PROPS: Shape = Shape { keys: &[template("card")], rule: no_rule };

static MATTERMOST_PRIORITY: Shape =
    Shape { keys: &[text("priority"), boolean("requested_ack"), boolean("persistent_notifications")], rule: no_rule };
