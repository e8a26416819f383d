//! Against a mail server that follows a script, over real sockets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::TlsConfig;
use crate::notify::config::{HostPort, Threading};
use crate::notify::testing::{EXTERNAL_URL, context, detail, golden, golden_file, integrations, verdict};
use crate::template::Templates;

use super::*;

/// What the server says, where it is not what a willing server would.
#[derive(Clone, Default)]
struct Script {
    /// After the server's name; the same before and after STARTTLS, which is not offered again.
    extensions: Vec<&'static str>,
    /// Answers to lines that begin so.
    answers: Vec<(&'static str, &'static str)>,
    tls: Option<Arc<ServerConfig>>,
    implicit: bool,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Serves one connection; gives the lines that came, the message as one of them.
fn serve(script: Script) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut lines = Vec::new();
        let encrypted = |tcp: TcpStream, tls: &Arc<ServerConfig>| -> Box<dyn Stream> {
            Box::new(StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), tcp))
        };
        // A client that hangs up early ends the dialogue, which is what some tests want.
        let _ = match (&script.tls, script.implicit) {
            (Some(tls), true) => dialogue(encrypted(tcp, tls), &script, true, &mut lines),
            _ => match (dialogue(Box::new(tcp.try_clone().unwrap()), &script, false, &mut lines), &script.tls) {
                (Ok(true), Some(tls)) => dialogue(encrypted(tcp, tls), &script, true, &mut lines),
                (outcome, _) => outcome,
            },
        };
        lines
    });
    (port, server)
}

/// Returns whether the client asked for TLS, which the caller goes on with.
fn dialogue(
    stream: Box<dyn Stream>,
    script: &Script,
    encrypted: bool,
    lines: &mut Vec<String>,
) -> std::io::Result<bool> {
    let mut stream = BufReader::new(stream);
    let starts = !encrypted || script.implicit;
    if starts {
        stream.get_mut().write_all(b"220 mail.example ESMTP\r\n")?;
        stream.get_mut().flush()?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_owned();
        let scripted = script.answers.iter().find(|(start, _)| line.starts_with(start)).map(|(_, answer)| *answer);
        let answer = match (scripted, line.split(' ').next().unwrap()) {
            (Some(answer), _) => answer.to_owned(),
            (None, "EHLO") => {
                let mut offered = vec!["mail.example"];
                offered.extend(script.extensions.iter().filter(|name| !(encrypted && **name == "STARTTLS")));
                let last = offered.len() - 1;
                let reply = |(at, name): (usize, &&str)| format!("250{}{name}", if at == last { ' ' } else { '-' });
                offered.iter().enumerate().map(reply).collect::<Vec<_>>().join("\r\n")
            }
            (None, "STARTTLS") => "220 go ahead".to_owned(),
            (None, "AUTH") => "235 welcome".to_owned(),
            (None, "DATA") => "354 go on".to_owned(),
            (None, "QUIT") => "221 bye".to_owned(),
            (None, _) => "250 fine".to_owned(),
        };
        let (is_data, is_tls) =
            (line == "DATA" && answer.starts_with("354"), line == "STARTTLS" && answer.starts_with("220"));
        lines.push(line);
        write!(stream.get_mut(), "{answer}\r\n")?;
        stream.get_mut().flush()?;
        if is_tls {
            return Ok(true);
        }
        if is_data {
            let mut message = String::new();
            while !message.ends_with("\r\n.\r\n") {
                if stream.read_line(&mut message)? == 0 {
                    return Ok(false);
                }
            }
            lines.push(message);
            let answer =
                script.answers.iter().find(|(start, _)| *start == ".").map_or("250 taken", |(_, answer)| answer);
            write!(stream.get_mut(), "{answer}\r\n")?;
            stream.get_mut().flush()?;
        }
    }
}

/// The email of contract alertmanager §8.11.
fn config(port: u16) -> EmailConfig {
    let headers = [
        ("Subject", "[FIRING:1] HighCPU eu1 (node critical)"),
        ("To", "Ops Ä <ops@example.org>, b@example.org"),
        ("From", "am@example.org"),
        ("X-Foo", "bär"),
    ];
    EmailConfig {
        to: "Ops Ä <ops@example.org>, b@example.org".to_owned(),
        from: "am@example.org".to_owned(),
        smarthost: HostPort { host: "localhost".to_owned(), port: port.to_string() },
        hello: "localhost".to_owned(),
        auth_username: String::new(),
        auth_identity: String::new(),
        auth_password: None,
        auth_secret: None,
        headers: BTreeMap::from(headers.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        html: "<p>é</p>".to_owned(),
        text: String::new(),
        require_tls: false,
        tls: TlsConfig::default(),
        force_implicit_tls: None,
        threading: Some(Threading::Group),
    }
}

fn with_login(port: u16) -> EmailConfig {
    let secret = |text: &str| Some(SecretSource::Inline(Secret::new(text)));
    EmailConfig { auth_username: "am".to_owned(), auth_password: secret("pw"), ..config(port) }
}

async fn attempt(config: EmailConfig) -> Attempt {
    Email::new(config, context()).attempt(&golden()).await
}

/// One attempt against a server with this script.
async fn exchange(script: Script, config: impl FnOnce(u16) -> EmailConfig) -> (Attempt, Vec<String>) {
    let (port, server) = serve(script);
    let attempt = attempt(config(port)).await;
    (attempt, server.join().unwrap())
}

fn answers(answers: &[(&'static str, &'static str)]) -> Script {
    Script { answers: answers.to_vec(), ..Script::default() }
}

fn offers(extensions: &[&'static str]) -> Script {
    Script { extensions: extensions.to_vec(), ..Script::default() }
}

#[tokio::test]
async fn the_golden_message_is_handed_over() {
    let (attempt, lines) = exchange(offers(&["8BITMIME", "SIZE 1000"]), config).await;
    assert_eq!(attempt, delivered());
    let (message, dialogue) = (&lines[5], [&lines[..5], &lines[6..]].concat());
    let want = [
        "EHLO localhost",
        "MAIL FROM:<am@example.org> BODY=8BITMIME",
        "RCPT TO:<ops@example.org>",
        "RCPT TO:<b@example.org>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(dialogue, want);
    let host_name = content::host_name();
    let (before, date) = message.split_once("Date: ").unwrap();
    let (date, after) = date.split_once("\r\n").unwrap();
    chrono::DateTime::parse_from_rfc2822(date).unwrap();
    let fixed = format!("{before}Date: DATE\r\n{after}").replace(&*host_name, "HOST").replace("\r\n", "\n");
    assert_eq!(fixed, golden_file("email.txt"));
}

#[tokio::test]
async fn each_answer_has_its_verdict() {
    let cases = [
        ("EHLO", "421 later", "retry: serverError"),
        ("MAIL", "451 later", "retry: serverError"),
        ("MAIL", "530 log in first", "rejected: authError"),
        ("MAIL", "550 not you", "rejected: clientError"),
        ("RCPT", "450 greylisted", "retry: serverError"),
        ("RCPT", "550 who?", "rejected: clientError"),
        ("DATA", "452 full", "retry: serverError"),
        ("DATA", "554 no", "rejected: clientError"),
        (".", "451 later", "retry: serverError"),
        (".", "552 too big", "rejected: clientError"),
        ("MAIL", "what?", "retry: other"),
        ("QUIT", "500 no", "delivered"),
    ];
    for (line, answer, want) in cases {
        let (attempt, _) = exchange(answers(&[(line, answer)]), config).await;
        assert_eq!(verdict(&attempt), want, "{line} {answer}");
    }
}

#[tokio::test]
async fn an_old_server_is_greeted_with_helo() {
    let (attempt, lines) = exchange(answers(&[("EHLO", "502 what?")]), config).await;
    assert_eq!(attempt, delivered());
    assert_eq!(lines[1..3], ["HELO localhost", "MAIL FROM:<am@example.org>"]);
}

#[tokio::test]
async fn one_bad_address_does_not_keep_the_others_from_being_told() {
    let (attempt, lines) = exchange(answers(&[("RCPT TO:<ops@", "550 who?")]), config).await;
    assert_eq!(attempt, delivered());
    assert!(lines.contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn mechanisms_are_tried_in_the_servers_order() {
    use base64::Engine;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let plain = format!("AUTH PLAIN {}", base64("\0am\0pw"));
    let cases = [
        ("AUTH PLAIN LOGIN", vec![plain.clone()]),
        ("AUTH GSSAPI PLAIN", vec![plain]),
        ("AUTH LOGIN PLAIN", vec!["AUTH LOGIN".to_owned(), base64("am"), base64("pw")]),
        ("AUTH CRAM-MD5 LOGIN", vec!["AUTH LOGIN".to_owned(), base64("am"), base64("pw")]),
    ];
    for (offer, want) in cases {
        let script = Script {
            extensions: vec![offer],
            answers: vec![("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("YW0=", "334 UGFzc3dvcmQ6"), ("cHc=", "235 welcome")],
            ..Script::default()
        };
        let (attempt, lines) = exchange(script, with_login).await;
        assert_eq!(attempt, delivered(), "{offer}");
        assert_eq!(lines[1..=want.len()], want, "{offer}");
    }
}

#[tokio::test]
async fn a_secret_answers_a_challenge_and_an_identity_is_passed_on() {
    let secret = |text: &str| Some(SecretSource::Inline(Secret::new(text)));
    let script = Script {
        extensions: vec!["AUTH PLAIN CRAM-MD5"],
        answers: vec![
            ("AUTH CRAM-MD5", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"),
            ("dGlt", "235 welcome"),
        ],
        ..Script::default()
    };
    let cram =
        |port| EmailConfig { auth_username: "tim".to_owned(), auth_secret: secret("tanstaaftanstaaf"), ..config(port) };
    let (attempt, lines) = exchange(script, cram).await;
    assert_eq!(attempt, delivered());
    assert_eq!(lines[2], "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");

    let (attempt, lines) =
        exchange(offers(&["AUTH PLAIN"]), |port| EmailConfig { auth_identity: "boss".to_owned(), ..with_login(port) })
            .await;
    assert_eq!(attempt, delivered());
    assert_eq!(lines[1], "AUTH PLAIN Ym9zcwBhbQBwdw==");
}

#[tokio::test]
async fn a_login_that_fails_is_told_apart() {
    let script =
        |answer| Script { extensions: vec!["AUTH PLAIN"], answers: vec![("AUTH", answer)], ..Script::default() };
    assert_eq!(verdict(&exchange(script("535 no"), with_login).await.0), "rejected: authError");
    assert_eq!(verdict(&exchange(script("454 later"), with_login).await.0), "retry: authError");
    let (attempt, _) = exchange(offers(&["AUTH GSSAPI"]), with_login).await;
    assert_eq!(verdict(&attempt), "retry: authError");
    assert!(detail(attempt).contains("GSSAPI"));
    // Without an offer nobody logs in.
    assert_eq!(exchange(offers(&[]), with_login).await.0, delivered());
    let missing =
        |port| EmailConfig { auth_password: Some(SecretSource::File("/nowhere/pw".into())), ..with_login(port) };
    assert_eq!(verdict(&attempt_without_server(missing).await), "rejected: other");
}

async fn attempt_without_server(config: impl FnOnce(u16) -> EmailConfig) -> Attempt {
    attempt(config(9)).await
}

#[tokio::test]
async fn a_password_is_not_sent_in_the_clear_to_another_host() {
    // Another loopback address is as foreign as any host, and can be listened on.
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut lines = Vec::new();
        let _ = dialogue(Box::new(tcp), &offers(&["AUTH PLAIN"]), false, &mut lines);
        lines
    });
    let smarthost = HostPort { host: "127.0.0.2".to_owned(), port: port.to_string() };
    let attempt = attempt(EmailConfig { smarthost, ..with_login(port) }).await;
    assert_eq!(verdict(&attempt), "retry: authError");
    assert_eq!(server.join().unwrap(), ["EHLO localhost"]);
}

/// A certificate for `localhost`, as a server has it and as a client trusts it.
fn certificate() -> (Arc<ServerConfig>, TlsConfig) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let trust = TlsConfig { ca: Some(SecretSource::Inline(Secret::new(made.cert.pem()))), ..TlsConfig::default() };
    (Arc::new(server), trust)
}

#[tokio::test]
async fn starttls_is_used_if_and_only_if_it_is_required() {
    let (tls, trust) = certificate();
    let script = Script { extensions: vec!["STARTTLS", "AUTH PLAIN"], tls: Some(tls), ..Script::default() };
    let required = |port| EmailConfig { require_tls: true, tls: trust.clone(), ..with_login(port) };
    let (attempt, lines) = exchange(script.clone(), required).await;
    assert_eq!(attempt, delivered());
    assert_eq!(lines[..4], ["EHLO localhost", "STARTTLS", "EHLO localhost", "AUTH PLAIN AGFtAHB3"]);
    assert_eq!(lines.last().unwrap(), "QUIT");

    let (attempt, lines) = exchange(script.clone(), with_login).await;
    assert_eq!(attempt, delivered());
    assert!(!lines.contains(&"STARTTLS".to_owned()));

    let (attempt, lines) = exchange(offers(&[]), required).await;
    assert_eq!(verdict(&attempt), "retry: other");
    assert_eq!(lines, ["EHLO localhost"]);

    let distrusting = |port| EmailConfig { require_tls: true, ..with_login(port) };
    let (attempt, lines) = exchange(script, distrusting).await;
    assert_eq!(verdict(&attempt), "retry: other");
    assert_eq!(lines, ["EHLO localhost", "STARTTLS"]);
}

#[tokio::test]
async fn implicit_tls_encrypts_from_the_first_byte() {
    let (tls, trust) = certificate();
    let script = Script { tls: Some(tls), implicit: true, ..Script::default() };
    // Long enough for several TLS records.
    let html = "0123456789 ".repeat(10_000);
    let implicit = |port| EmailConfig {
        force_implicit_tls: Some(true),
        require_tls: true,
        tls: trust,
        html: html.clone(),
        ..config(port)
    };
    let (attempt, lines) = exchange(script, implicit).await;
    assert_eq!(attempt, delivered());
    assert_eq!(lines[0], "EHLO localhost");
    assert!(lines[5].replace("=\r\n", "").contains(html.trim_end()));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert_eq!(verdict(&attempt(config(port)).await), "retry: other");
}

#[tokio::test]
async fn a_silent_server_is_left() {
    // Nobody accepts: the connection comes about, and then there is silence.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let step = std::time::Duration::from_millis(20);
    let mut email = Email::new(config(port), context());
    email.patience = Patience { step, ..Patience::default() };
    let attempt = email.attempt(&golden()).await;
    assert_eq!(verdict(&attempt), "retry: contextDeadlineExceeded");
    assert_eq!(detail(attempt), "greeting: no answer in time");
}

#[tokio::test]
async fn what_cannot_be_written_is_never_connected() {
    let with = |change: fn(&mut EmailConfig)| {
        let mut config = config(9);
        change(&mut config);
        config
    };
    let cases = [
        with(|config| config.html = "{{ broken".to_owned()),
        with(|config| config.to = "nobody".to_owned()),
        with(|config| config.from = "a@b, c@d".to_owned()),
        with(|config| config.hello = "a\r\nRSET".to_owned()),
        with(|config| _ = config.headers.insert("X\r\nBcc".to_owned(), String::new())),
        with(|config| config.smarthost.port = "gopher".to_owned()),
    ];
    for config in cases {
        assert_eq!(verdict(&attempt(config.clone()).await), "rejected: other", "{config:?}");
    }
}

#[tokio::test]
async fn a_configured_message_id_is_kept_and_a_day_names_the_thread() {
    let configured = |port| {
        let mut config = config(port);
        config.headers.insert("Message-Id".to_owned(), "<mine@here>".to_owned());
        config.headers.insert("Content-Type".to_owned(), "text/plain".to_owned());
        config.threading = Some(Threading::GroupAndDay);
        config
    };
    let (_, lines) = exchange(Script::default(), configured).await;
    let message = &lines[5];
    assert_eq!(message.matches("Message-Id: ").count(), 1);
    assert!(message.contains("Message-Id: <mine@here>\r\n"));
    assert_eq!(message.lines().filter(|line| line.starts_with("Content-Type: multipart")).count(), 1);
    assert!(!message.contains("Content-Type: text/plain\r\n"));
    let day = golden().tick.to_datetime().with_timezone(&chrono::Local).format("%Y-%m-%d").to_string();
    assert!(message.contains(&format!("In-Reply-To: <alert-d26856c0b5caf2a1-{day}@alertmanager>\r\n")));
}

/// What a reader of a page sees, each run of blanks one.
fn visible(html: &str) -> String {
    let mut text = String::new();
    let body = &html[html.find("<body").unwrap()..];
    for piece in body.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_a_file_says_sends_the_golden_message() {
    let (port, server) = serve(offers(&["8BITMIME"]));
    let source = format!(
        "- name: team.x\n\
         \x20 email_configs:\n\
         \x20 - to: 'Ops Ä <ops@example.org>, b@example.org'\n\
         \x20   from: am@example.org\n\
         \x20   smarthost: localhost:{port}\n\
         \x20   require_tls: false\n\
         \x20   headers: {{x-foo: bär}}\n\
         \x20   threading: {{enabled: true, thread_by_date: none}}\n"
    );
    let config = &integrations(&source)[0];
    let clock = context().clock;
    let email = crate::notify::build(config, &Templates::builtin(), EXTERNAL_URL, clock).unwrap();
    assert_eq!(email.attempt(&golden()).await, delivered());
    let lines = server.join().unwrap();
    assert_eq!(lines[0], "EHLO localhost");
    let (headers, body) = lines[5].split_once("\r\n\r\n").unwrap();
    let wanted = golden_file("email.txt");
    for header in wanted.split("\nMessage-Id").next().unwrap().lines() {
        assert!(headers.lines().any(|line| line == header), "{header} in {headers}");
    }
    // Between the part's own headers and the closing boundary, which is no quoted-printable text.
    let part = body.split_once("\r\n\r\n").unwrap().1;
    let html = visible(&message::tests::decode(part.rsplit_once("\r\n--").unwrap().0));
    for part in [
        "2 alerts for alertname=HighCPU cluster=eu1",
        "View in Alertmanager",
        "[1] Firing",
        "Labels alertname = HighCPU",
        "Annotations description = CPU &lt;95%&gt; &amp; &#34;rising&#34;",
        "Source",
        "[1] Resolved",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}
