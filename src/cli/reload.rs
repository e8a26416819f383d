//! From a loaded configuration to what runs: integrations, sources, settings of rules; and all of it again at a reload.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{BelfryConfig, Loaded, Purpose, load};
use crate::metrics::{IntGauge, Registry, int_gauge};
use crate::model::Clock;
use crate::notify;
use crate::router::{self, Integrations, Router, RouterConfig};
use crate::rules::{self, Sources};
use crate::yaml::Diagnostic;

/// What a configuration comes to.
pub(super) struct Parts {
    pub router: Arc<RouterConfig>,
    pub integrations: Integrations,
    pub sources: Sources,
    pub rules: rules::Settings,
    /// The router's effective configuration, as it is shown.
    pub shown: String,
}

/// Builds everything that a configuration names; nothing is connected.
///
/// # Errors
/// What cannot be built, in words.
pub(super) fn build(loaded: &Loaded, clock: &Arc<dyn Clock>) -> Result<Parts, String> {
    let config = &loaded.config;
    let (mut integrations, mut problems) = (Integrations::new(), Vec::new());
    let (router, shown) = match &loaded.router {
        Some(file) => {
            for integration in file.receivers.iter().flat_map(|receiver| &receiver.integrations) {
                match notify::build(integration, &file.templates, config.link_base(), clock.clone()) {
                    Ok(built) => drop(integrations.insert(integration.id.to_string().into(), built)),
                    // Unused ones may be of any kind; those in use were judged when the file was read.
                    Err(notify::BuildError::NotYet { .. }) => {}
                    Err(error) => problems.push(error.to_string()),
                }
            }
            (file.router.clone(), file.shown.clone())
        }
        None => (Arc::new(RouterConfig::silent()), String::new()),
    };
    let mut sources = Vec::new();
    for source in &config.sources {
        match source.build(clock.clone()) {
            Ok(built) => sources.push(built),
            Err(error) => problems.push(format!("source {:?}: {error}", source.name)),
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let default = config.default_source().map(|source| source.name.as_str());
    Ok(Parts { router, integrations, sources: Sources::new(sources, default), rules: rule_settings(config), shown })
}

fn rule_settings(config: &BelfryConfig) -> rules::Settings {
    rules::Settings {
        evaluation_interval: config.global.evaluation_interval,
        query_offset: config.global.query_offset,
        resend_delay: config.global.resend_delay,
        timeout: config.evaluation.timeout,
        concurrency: config.evaluation.concurrency,
        external_labels: config.global.external_labels.clone(),
        external_url: config.link_base().into(),
    }
}

/// Findings as they are printed.
pub(super) fn printed(findings: &[Diagnostic]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// How the last reload went.
pub(super) struct ReloadMetrics {
    successful: IntGauge,
    success_at: IntGauge,
}

impl ReloadMetrics {
    pub(super) fn new(registry: &Registry) -> Self {
        ReloadMetrics {
            successful: int_gauge(
                registry,
                "alertmanager_config_last_reload_successful",
                "Whether the last attempt to put the files in force succeeded.",
            ),
            success_at: int_gauge(
                registry,
                "alertmanager_config_last_reload_success_timestamp_seconds",
                "When files were last put in force.",
            ),
        }
    }

    pub(super) fn succeeded(&self, clock: &dyn Clock) {
        self.successful.set(1);
        self.success_at.set(clock.now().as_millis() / 1000);
    }

    fn failed(&self) {
        self.successful.set(0);
    }
}

/// Puts the files on disk in force while everything runs. All or nothing: a bad file changes nothing.
pub(super) struct Reloader {
    pub path: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub router: Router,
    pub rules: Arc<rules::Service>,
    pub router_metrics: Arc<router::Metrics>,
    pub metrics: ReloadMetrics,
    pub shown: Arc<Mutex<String>>,
    /// One reload at a time.
    pub turn: tokio::sync::Mutex<()>,
    /// What cannot change without a restart.
    pub fixed: Fixed,
}

/// Settings that hold until a restart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fixed {
    listen: String,
    storage: String,
}

impl Fixed {
    pub(super) fn of(config: &BelfryConfig) -> Self {
        Fixed { listen: format!("{:?}", config.listen), storage: format!("{:?}", config.storage) }
    }
}

impl Reloader {
    pub(super) async fn reload(&self) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let outcome = self.try_reload().await;
        match &outcome {
            Ok(()) => {
                self.metrics.succeeded(&*self.clock);
                tracing::info!("configuration reloaded");
            }
            Err(why) => {
                self.metrics.failed();
                tracing::error!(error = %why, "reload refused; the old configuration goes on");
            }
        }
        outcome
    }

    async fn try_reload(&self) -> Result<(), String> {
        let Some(path) = self.path.clone() else {
            return Err("there is no configuration file: the daemon runs on defaults".to_owned());
        };
        let read = tokio::task::spawn_blocking(move || load(&path, Purpose::Serve)).await;
        let loaded = read.map_err(|error| error.to_string())?.map_err(|findings| printed(&findings))?;
        let parts = build(&loaded, &self.clock)?;
        if Fixed::of(&loaded.config) != self.fixed {
            tracing::warn!("listen and storage change only with a restart");
        }
        // Rules can still refuse; the router, once its configuration is read, cannot.
        self.rules.reload(&loaded.rules, parts.rules, parts.sources).await.map_err(|error| error.to_string())?;
        self.router_metrics.configure(&parts.router);
        self.router.reload(parts.router, parts.integrations).await.map_err(|error| error.to_string())?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = parts.shown;
        for warning in &loaded.warnings {
            tracing::warn!(finding = %warning, "configuration");
        }
        Ok(())
    }
}
