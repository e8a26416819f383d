//! A `belfry serve` process of a test's own: files in a temporary folder, a port that the system chose.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
    lines: Receiver<String>,
    client: reqwest::blocking::Client,
}

impl Daemon {
    /// Writes `belfry.yml` and `alertmanager.yml` into `dir` and runs the daemon on them.
    pub fn start(dir: &Path, belfry: &str, router: &str) -> Daemon {
        std::fs::write(dir.join("belfry.yml"), belfry).unwrap();
        std::fs::write(dir.join("alertmanager.yml"), router).unwrap();
        Daemon::run(dir)
    }

    /// Runs the daemon on the files that are in `dir`.
    pub fn run(dir: &Path) -> Daemon {
        let mut child = Command::new(env!("CARGO_BIN_EXE_belfry"))
            .args(["serve", "--config"])
            .arg(dir.join("belfry.yml"))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = sync_channel(100_000);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.try_send(line).is_err() {
                    return;
                }
            }
        });
        let mut seen = Vec::new();
        let address = loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => match line.split("address=").nth(1) {
                    Some(rest) if line.contains("Listening on") => {
                        break rest.split_whitespace().next().unwrap().trim_matches('"').parse().unwrap();
                    }
                    _ => seen.push(line),
                },
                Err(error) => panic!("no address within {PATIENCE:?} ({error}): {seen:#?}"),
            }
        };
        Daemon { child, address, lines, client: client() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(self.url(path)).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    pub fn json(&self, path: &str) -> Value {
        let (status, text) = self.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    /// As [`Daemon::post`], for a daemon that may be dying.
    pub fn try_post(&self, path: &str, body: &str) -> Option<u16> {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        let answer = request.timeout(Duration::from_secs(5)).body(body.to_owned()).send().ok()?;
        Some(answer.status().as_u16())
    }

    /// One alert, firing or over, posted as Prometheus posts it.
    pub fn alert(&self, name: &str, starts_at: &str, ends_at: Option<&str>) -> (u16, String) {
        self.post("/api/v2/alerts", &alert_body(name, starts_at, ends_at))
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// SIGKILL, now.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; what the process ended with.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("-TERM");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "no stop within {PATIENCE:?}");
            // The next line of the log, or its end, is the event that there is to wait for.
            if self.lines.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Disconnected) {
                return self.child.wait().unwrap();
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client; TLS has one provider for the whole process, whoever asks first.
pub fn client() -> reqwest::blocking::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::new()
}

pub fn alert_body(name: &str, starts_at: &str, ends_at: Option<&str>) -> String {
    let mut alert = serde_json::json!({
        "labels": {"alertname": name, "job": "test"},
        "annotations": {"summary": format!("{name} happened")},
        "startsAt": starts_at,
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
    });
    if let Some(ends_at) = ends_at {
        alert["endsAt"] = ends_at.into();
    }
    serde_json::json!([alert]).to_string()
}

/// Looks until `look` has something, or fails after [`PATIENCE`] saying what was awaited.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// `belfry.yml` with a port of the system's choice and state in the folder.
pub fn belfry_yml(more: &str) -> String {
    format!(
        "listen: 127.0.0.1:0\nstorage: {{path: ./data}}\nrouter: alertmanager.yml\ndelivery: {{start_grace: 1s}}\n{more}"
    )
}

/// Now, `seconds` later, as it is posted.
pub fn rfc3339(seconds: i64) -> String {
    let output =
        Command::new("date").args(["-u", "-d", &format!("{seconds} seconds"), "+%Y-%m-%dT%H:%M:%S.%3NZ"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}
