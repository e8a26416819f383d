//! `email_configs` (contract alertmanager §1.7).

use super::*;
use crate::http::{Secret, SecretSource};
use crate::notify::config::{EmailConfig, Kind, Threading};

const GLOBALS: &str = "smtp_from: from@x\nsmtp_smarthost: mx:25\nsmtp_auth_username: user\nsmtp_auth_identity: identity\n\
                       smtp_auth_password: word\nsmtp_auth_secret: secret\nsmtp_require_tls: no\nsmtp_force_implicit_tls: no\n\
                       smtp_tls_config: {server_name: mx}\nsmtp_hello: host";

fn email(globals: &str, keys: &str) -> EmailConfig {
    match accepted(globals, "email", keys).kind {
        Kind::Email(email) => *email,
        other => panic!("{other:?}"),
    }
}

fn inline(text: &str) -> Option<SecretSource> {
    Some(SecretSource::Inline(Secret::new(text)))
}

#[test]
fn mail_is_completed_from_the_globals() {
    let email = email(GLOBALS, "to: to@x");
    assert_eq!((email.from.as_str(), email.hello.as_str()), ("from@x", "host"));
    assert_eq!(email.smarthost.to_string(), "mx:25");
    assert_eq!((email.auth_username.as_str(), email.auth_identity.as_str()), ("user", "identity"));
    assert_eq!((email.auth_password, email.auth_secret), (inline("word"), inline("secret")));
    assert_eq!((email.require_tls, email.force_implicit_tls), (false, Some(false)));
    assert_eq!(email.tls.server_name.as_deref(), Some("mx"));
    assert_eq!((email.html.as_str(), email.text.as_str()), (r#"{{ template "email.default.html" . }}"#, ""));
    let headers: Vec<_> = email.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let subject = r#"{{ template "email.default.subject" . }}"#;
    assert_eq!(headers, [("From", "from@x"), ("Subject", subject), ("To", "to@x")]);
    assert_eq!(email.threading, None);
}

#[test]
fn what_a_receiver_says_itself_comes_first() {
    let email = email(
        GLOBALS,
        "to: to@x\nfrom: me@x\nsmarthost: own:465\nhello: ''\nauth_username: me\nauth_password_file: pw\nrequire_tls: yes\n\
         force_implicit_tls: ~\ntls_config: {ca_file: ca.pem}\nhtml: ''\ntext: t\n\
         headers: {reply-to: a, subject: s, 'x y': z}\nthreading: {enabled: yes, thread_by_date: daily}",
    );
    assert_eq!((email.from.as_str(), email.hello.as_str(), email.auth_username.as_str()), ("me@x", "host", "me"));
    assert_eq!(email.auth_password, Some(SecretSource::File("pw".into())), "as written");
    assert_eq!(email.auth_secret, inline("secret"));
    assert_eq!(email.tls.ca, Some(SecretSource::File("ca.pem".into())), "as written");
    assert_eq!(email.tls.server_name, None, "replaced whole");
    assert!(email.require_tls);
    assert_eq!((email.html.as_str(), email.text.as_str()), ("", "t"));
    let headers: Vec<_> = email.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("From", "me@x"), ("Reply-To", "a"), ("Subject", "s"), ("To", "to@x"), ("x y", "z")]);
    assert_eq!(email.threading, Some(Threading::GroupAndDay));
}

#[test]
fn tls_is_implicit_by_force_or_by_port() {
    let implicit = |keys: &str| email("smtp_from: a@b", &format!("to: a@b\n{keys}")).implicit_tls();
    assert!(implicit("smarthost: mx:465"));
    assert!(!implicit("smarthost: mx:25"));
    assert!(!implicit("smarthost: mx:465\nforce_implicit_tls: no"));
    assert!(implicit("smarthost: mx:25\nforce_implicit_tls: yes"));
}

#[test]
fn of_a_password_and_its_file_the_file_wins() {
    let keys = "to: a@b\nauth_password: x\nauth_password_file: y";
    assert_eq!(
        found(GLOBALS, "email", keys),
        ["2:16: warning: I: auth_password has no effect beside auth_password_file"]
    );
}

#[test]
fn what_the_peer_refuses_is_refused() {
    let duplicate = "the first is at 5:15; names of headers are the same in any case";
    check_refused(
        GLOBALS,
        "email",
        &[
            ("from: x", "1:1: I: to is missing"),
            ("to: ''", "1:1: I: to is missing"),
            ("to: ~", "1:1: I: to is missing"),
            (
                "to: a@b\nheaders: {Subject: a, subject: b}",
                &format!("2:23: I: headers: duplicate header \"Subject\"\n  help: {duplicate}"),
            ),
            (
                "to: a@b\nheaders: {in-reply-to: a}\nthreading: {enabled: yes, thread_by_date: none}",
                "3:22: I: threading: enabled does not go with a header In-Reply-To of your own",
            ),
            (
                "to: a@b\nheaders: {References: a}\nthreading: {enabled: yes, thread_by_date: none}",
                "3:22: I: threading: enabled does not go with a header References of your own",
            ),
            ("to: a@b\nthreading: {enabled: yes}", "2:12: I: threading: thread_by_date must be none or daily"),
            (
                "to: a@b\nthreading: {enabled: yes, thread_by_date: weekly}",
                "2:43: I: threading: thread_by_date must be none or daily",
            ),
            ("to: a@b\nsmarthost: mx", "2:12: I: smarthost: address \"mx\" has no port"),
            ("to: a@b\nrequire_tls: 'no'", "2:14: I: require_tls: expected a boolean, found the string \"no\""),
            ("to: a@b\ntls_config: {cert: x}", "2:13: I: tls_config: a certificate needs a key"),
            ("to: a@b\nhttp_config: {}", "2:1: unknown key \"http_config\" in I\n  help: did you mean \"tls_config\"?"),
        ],
    );
    let without = [
        ("smtp_from: a@b", "1:1: I: smarthost is missing\n  help: set it here, or smtp_smarthost in global"),
        ("smtp_smarthost: mx:25", "1:1: I: from is missing\n  help: set it here, or smtp_from in global"),
    ];
    for (globals, want) in without {
        assert_eq!(found(globals, "email", "to: a@b"), [want]);
    }
    let unused = "to: a@b\nheaders: {References: a}\nthreading: {thread_by_date: weekly}";
    assert_eq!(found(GLOBALS, "email", unused), Vec::<String>::new(), "threading is not enabled");
}
