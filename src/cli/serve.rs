//! `belfry serve`: restores, binds, runs, and stops in order.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::log;
use super::reload::{Fixed, ReloadMetrics, Reloader, build, printed};
use crate::api::{self, App};
use crate::config::{Loaded, Purpose, load};
use crate::db::{Batch, Db, HistoryKind, NewHistory};
use crate::metrics::{Registry, int_gauge, int_gauge_vec};
use crate::model::{Clock, MatcherMode, SystemClock};
use crate::router::{self, LabelLimits, Options};
use crate::rules::{Outside, Service as Rules};

/// How often history past its age is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// How long requests under way may take to end at a stop.
const HTTP_DRAIN: Duration = Duration::from_secs(5);

pub(super) fn run(path: Option<PathBuf>) -> ExitCode {
    let loaded = match &path {
        Some(path) => match load(path, Purpose::Serve) {
            Ok(loaded) => loaded,
            Err(findings) => {
                eprintln!("{}", printed(&findings));
                return ExitCode::FAILURE;
            }
        },
        None => Loaded::defaults(),
    };
    if let Err(error) = log::init(loaded.config.log) {
        eprintln!("{error}");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(path, loaded)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "belfry ends");
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: Option<PathBuf>, loaded: Loaded) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let started = clock.now();
    let registry = Registry::new();
    describe(&registry, started.as_millis() / 1000);
    for warning in &loaded.warnings {
        tracing::warn!(finding = %warning, "configuration");
    }
    if loaded.router.is_none() {
        tracing::warn!("no router is configured: alerts are kept and shown, and nobody is told");
    }
    let config = &loaded.config;
    let parts = build(&loaded, &clock).map_err(|problems| anyhow!(problems))?;

    let db = Db::open(&config.storage, clock.clone(), &registry).await.context("storage cannot be opened")?;
    let router_metrics = Arc::new(router::Metrics::new(&registry));
    router_metrics.configure(&parts.router);
    let settings = router::Settings {
        core: Options {
            concurrency: config.delivery.concurrency,
            max_retry_after: config.delivery.max_retry_after,
            start_grace: config.delivery.start_grace,
            max_alerts: config.limits.alerts,
            ..Options::default()
        },
        attempt_timeout: config.delivery.attempt_timeout,
        labels: LabelLimits {
            labels: config.limits.labels,
            name: bytes(config.limits.label_name),
            value: bytes(config.limits.label_value),
        },
        mode: MatcherMode::default(),
    };
    let (router, service, first) = router::Service::start(
        parts.router,
        parts.integrations,
        settings,
        db.clone(),
        clock.clone(),
        router_metrics.clone(),
    )
    .await?;
    record(&db, &*clock, HistoryKind::Start).await;

    let (host, port) = config.listen.bind();
    let listener = TcpListener::bind((host, port)).await.with_context(|| format!("cannot listen on {host}:{port}"))?;
    let address = listener.local_addr()?;

    let stop = CancellationToken::new();
    let mut routing = tokio::spawn(service.run(first, stop.clone()));
    let outside = Outside { clock: clock.clone(), db: db.clone(), announce: Arc::new(router.clone()) };
    let rules = Rules::start(&loaded.rules, parts.rules, parts.sources, outside, &registry).await?;
    let rules = Arc::new(rules);
    let reload_metrics = ReloadMetrics::new(&registry);
    reload_metrics.succeeded(&*clock);
    let shown = Arc::new(Mutex::new(parts.shown));
    let reloader = Arc::new(Reloader {
        path,
        clock: clock.clone(),
        router: router.clone(),
        rules: rules.clone(),
        router_metrics,
        metrics: reload_metrics,
        shown: shown.clone(),
        turn: tokio::sync::Mutex::new(()),
        fixed: Fixed::of(config),
    });
    let app = Arc::new(App {
        router: router.clone(),
        rules: {
            let rules = rules.clone();
            Arc::new(move || rules.groups())
        },
        db: db.clone(),
        clock: clock.clone(),
        registry: registry.clone(),
        reload: {
            let reloader = reloader.clone();
            Arc::new(move || {
                let reloader = reloader.clone();
                Box::pin(async move { reloader.reload().await })
            })
        },
        ready: AtomicBool::new(false),
        started,
        shown_config: Box::new(move || shown.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        limits: api::Limits {
            body: bytes(config.limits.body),
            concurrency: config.limits.query_concurrency.saturating_mul(16).max(64),
            timeout: config.limits.query_timeout,
            webhook_lease: config.webhooks.resolve_timeout,
        },
        metrics: api::HttpMetrics::new(&registry, config.limits.query_concurrency.saturating_mul(16).max(64)),
        bearer_tokens: config.web.bearer_tokens.clone(),
    });
    let closing = stop.clone();
    let mut http = tokio::spawn(
        axum::serve(listener, api::routes(app.clone())).with_graceful_shutdown(closing.cancelled_owned()).into_future(),
    );
    app.set_ready();
    tracing::info!(address = %address, "Listening on");

    let evaluated = {
        let (rules, router) = (rules.clone(), router.clone());
        tokio::spawn(async move {
            rules.first_evaluations().await;
            if let Err(error) = router.rules_ready() {
                tracing::warn!(%error, "the router was not told that rules have evaluated; it waits for its start grace");
            }
        })
    };
    let pruning = tokio::spawn(prune(db.clone(), clock.clone()));

    let ended = tokio::select! {
        result = until_told_to_stop(&reloader) => result,
        ended = &mut routing => Err(match ended {
            Ok(Ok(())) => anyhow!("the router ended by itself"),
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        }),
        () = rules.deposed() => Err(anyhow!("another process owns the state now")),
        ended = &mut http => Err(anyhow!("the listener ended: {ended:?}")),
    };

    tracing::info!("stopping: no more input");
    evaluated.abort();
    pruning.abort();
    rules.stop().await;
    tracing::info!("stopping: rules have ended");
    stop.cancel();
    within("requests under way", HTTP_DRAIN, &mut http).await;
    within("the router", HTTP_DRAIN * 2, &mut routing).await;
    record(&db, &*clock, HistoryKind::Stop).await;
    if let Err(error) = db.close().await {
        tracing::error!(%error, "storage was not closed cleanly");
    }
    tracing::info!("stopped");
    ended
}

/// SIGTERM and SIGINT end, SIGHUP reloads.
async fn until_told_to_stop(reloader: &Arc<Reloader>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            // What went wrong is logged by the reload itself.
            _ = hang_up.recv() => drop(reloader.reload().await),
        }
    }
}

async fn within<T>(what: &str, limit: Duration, task: impl Future<Output = T>) {
    if tokio::time::timeout(limit, task).await.is_err() {
        tracing::warn!(what, "did not end in time");
    }
}

async fn record(db: &Db, clock: &dyn Clock, kind: HistoryKind) {
    let history = vec![NewHistory::new(clock.now().as_millis(), kind)];
    if let Err(error) = db.commit(Batch { history, ..Batch::default() }).await {
        tracing::error!(%error, "history was not written");
    }
}

async fn prune(db: Db, clock: Arc<dyn Clock>) {
    loop {
        if let Err(error) = db.prune(clock.now()).await {
            tracing::warn!(%error, "old history was not removed");
        }
        clock.sleep_until(Some(clock.now() + PRUNE_EVERY)).await;
    }
}

/// What dashboards and karma look for.
fn describe(registry: &Registry, started: i64) {
    int_gauge(registry, "process_start_time_seconds", "When the process started.").set(started);
    let labels = ["version", "revision", "branch", "goversion", "goos", "goarch", "tags"];
    let values = ["0.34.0", env!("CARGO_PKG_VERSION"), "", "", std::env::consts::OS, std::env::consts::ARCH, ""];
    int_gauge_vec(registry, "alertmanager_build_info", "The Alertmanager whose interfaces are spoken.", &labels)
        .with_label_values(&values)
        .set(1);
    int_gauge_vec(registry, "belfry_build_info", "Which Belfry this is.", &["version"])
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
}

/// A limit in bytes as it is compared with lengths.
fn bytes(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
