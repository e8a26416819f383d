//! One evaluation of one rule: ask its source, render its texts. What it comes to is for the core to decide.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::permits::Permits;
use crate::model::{LabelSet, Sample, Timestamp};
use crate::rules::core::{Candidate, Candidates, Outcome, REASON_LABEL};
use crate::rules::file::OnError;
use crate::rules::plan::{RulePlan, Settings};
use crate::rules::text::{Content, Text, failure};
use crate::source::{Query, Source, SourceError};
use crate::template::{Limits, RuleContext};

/// Queries that the templates of one alert may ask.
const MAX_TEMPLATE_QUERIES: usize = 10;

/// So many alerts without templates are built in less than half a millisecond.
const INLINE_SAMPLES: usize = 256;

/// A source keeps its own deadline; this is for one that does not.
const GRACE: Duration = Duration::from_secs(1);

/// The texts of the alert that says that its rule is blind have this long.
const FAILURE_RENDERING: Duration = Duration::from_secs(5);

/// What it takes to evaluate a rule.
#[derive(Clone)]
pub(super) struct Evaluation {
    pub(super) rule: Arc<RulePlan>,
    pub(super) source: Arc<dyn Source>,
    pub(super) settings: Arc<Settings>,
    pub(super) slot: Timestamp,
    /// Of the query, behind the slot.
    pub(super) offset: Duration,
}

/// Why a template's query gave nothing.
enum QueryFault {
    /// It never will.
    Expression(String),
    /// The source is not to be had right now.
    Outage(String),
}

type TemplateQuery<'a> = dyn Fn(&str) -> Result<Vec<Sample>, QueryFault> + 'a;

/// What an evaluation came to.
pub(super) struct Evaluated {
    pub(super) outcome: Outcome,
    pub(super) samples: usize,
    pub(super) warnings: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) template_failures: usize,
}

impl Evaluated {
    /// The source that the rule names is not there: a reload makes sure that it is, so this lasts one iteration at most.
    pub(super) fn without_source(name: Option<&str>) -> Self {
        let error =
            name.map_or_else(|| "there is no default source".to_owned(), |name| format!("unknown source {name:?}"));
        Evaluated {
            outcome: Outcome::Failed { instead: None },
            samples: 0,
            warnings: Vec::new(),
            error: Some(error),
            template_failures: 0,
        }
    }
}

/// Alerts, and what went wrong in their templates.
#[derive(Default)]
struct Rendered {
    candidates: Vec<Candidate>,
    failures: usize,
    first_failure: Option<String>,
}

impl Evaluation {
    /// Never fails as a whole: a failure is an outcome.
    pub(super) async fn run(self, permits: &Permits) -> Evaluated {
        let (answer, deadline) = {
            let _permit = permits.take(self.source.name()).await;
            // Waiting for the turn does not count.
            let deadline = Instant::now() + self.settings.timeout;
            let query = Query {
                expr: self.rule.expr.to_string(),
                at: self.slot - self.offset,
                window: self.rule.window,
                timeout: self.settings.timeout,
            };
            (tokio::time::timeout_at(deadline + GRACE, self.source.instant(&query)).await, deadline)
        };
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return self.failed(full_text(&error)).await,
            Err(_) => {
                let message = format!("no answer within {} s", self.settings.timeout.as_secs_f64());
                return self.failed(message).await;
            }
        };
        let count = answer.samples.len();
        let rendered = match self.clone().render(answer.samples, deadline).await {
            Ok(rendered) => rendered,
            Err(error) => return self.failed(error).await,
        };
        if let Some(failure) = &rendered.first_failure {
            tracing::warn!(
                rule = %self.rule.name,
                failures = rendered.failures,
                error = %failure,
                "template expansion failed"
            );
        }
        match Candidates::new(rendered.candidates) {
            Ok(candidates) => Evaluated {
                outcome: Outcome::Samples(candidates),
                samples: count,
                warnings: answer.warnings,
                error: None,
                template_failures: rendered.failures,
            },
            Err(error) => self.failed(error.to_string()).await,
        }
    }

    /// With `on_error: alert`, the rule's own labels make the alert that says so.
    async fn failed(&self, error: String) -> Evaluated {
        let mut template_failures = 0;
        let instead = match self.rule.on_error {
            OnError::Keep => None,
            OnError::Alert => {
                let sample = Sample { labels: LabelSet::empty(), at: self.slot, value: f64::NAN };
                // A label must not change because the query has eaten up the time.
                let deadline = Instant::now() + FAILURE_RENDERING;
                let rendered = self.clone().render(vec![sample], deadline).await.unwrap_or_default();
                template_failures = rendered.failures;
                let bare = || Candidate {
                    labels: LabelSet::from_pairs([("alertname", &*self.rule.name)]),
                    annotations: LabelSet::empty(),
                    value: f64::NAN,
                };
                let alert = rendered.candidates.into_iter().next().unwrap_or_else(bare);
                Some(Candidate { labels: alert.labels.iter().chain([(REASON_LABEL, "error")]).collect(), ..alert })
            }
        };
        Evaluated {
            outcome: Outcome::Failed { instead },
            samples: 0,
            warnings: Vec::new(),
            error: Some(error),
            template_failures,
        }
    }

    /// Templates take processor time, and may ask the source: they have threads of their own.
    async fn render(self, samples: Vec<Sample>, deadline: Instant) -> Result<Rendered, String> {
        if !self.rule.has_templates() && samples.len() <= INLINE_SAMPLES {
            return self.render_all(&samples, &|_| Err(QueryFault::Expression("not asked".to_owned())), deadline);
        }
        let handle = Handle::current();
        let source = self.source.clone();
        let at = self.slot;
        let rendered = tokio::task::spawn_blocking(move || {
            let query = |expr: &str| {
                let timeout = deadline.saturating_duration_since(Instant::now());
                let query = Query { expr: expr.to_owned(), at, window: None, timeout };
                let answer = handle.block_on(async { tokio::time::timeout_at(deadline, source.instant(&query)).await });
                match answer {
                    Ok(Ok(answer)) => Ok(answer.samples),
                    Ok(Err(
                        error @ (SourceError::Rejected { .. } | SourceError::NotAVector | SourceError::Query { .. }),
                    )) => Err(QueryFault::Expression(full_text(&error))),
                    Ok(Err(error)) => Err(QueryFault::Outage(full_text(&error))),
                    Err(_) => Err(QueryFault::Outage("query timed out".to_owned())),
                }
            };
            self.render_all(&samples, &query, deadline)
        });
        rendered.await.map_err(|_| "rendering of templates ended in a defect".to_owned())?
    }

    /// # Errors
    /// What would give an alert other labels than it has when all is well: no time left, or a source that a label asks and
    /// that is not to be had. An outage must resolve nothing.
    fn render_all(&self, samples: &[Sample], query: &TemplateQuery<'_>, deadline: Instant) -> Result<Rendered, String> {
        let mut rendered = Rendered::default();
        for sample in samples {
            let asked = Cell::new(0);
            let outage = RefCell::new(None);
            let bounded = |expr: &str| {
                asked.set(asked.get() + 1);
                if asked.get() > MAX_TEMPLATE_QUERIES {
                    return Err(format!("more than {MAX_TEMPLATE_QUERIES} queries"));
                }
                query(expr).map_err(|fault| match fault {
                    QueryFault::Expression(message) => message,
                    QueryFault::Outage(message) => {
                        outage.borrow_mut().get_or_insert_with(|| message.clone());
                        message
                    }
                })
            };
            let limits = Limits {
                time: Limits::default().time.min(deadline.saturating_duration_since(Instant::now())),
                queries: MAX_TEMPLATE_QUERIES,
                ..Limits::default()
            };
            let context = RuleContext {
                external_labels: &self.settings.external_labels,
                external_url: &self.settings.external_url,
                now: self.slot,
                query: &bounded,
                limits,
            };
            let labels = self.labels(sample, &context, &mut rendered);
            if let Some(outage) = outage.borrow_mut().take() {
                return Err(format!("a label's query failed: {outage}"));
            }
            if Instant::now() >= deadline && rendered.failures > 0 {
                return Err("no time left for templates".to_owned());
            }
            let annotations = LabelSet::from_pairs(self.texts(&self.rule.annotations, sample, &context, &mut rendered));
            rendered.candidates.push(Candidate { labels, annotations, value: sample.value });
        }
        Ok(rendered)
    }

    /// Labels of the sample without its name, under the rule's own, under `alertname`; an empty value takes a label away
    /// (contract prometheus §b, step 2).
    fn labels(&self, sample: &Sample, context: &RuleContext<'_>, rendered: &mut Rendered) -> LabelSet {
        let own = self.texts(&self.rule.labels, sample, context, rendered);
        let given = sample.labels.iter().filter(|(name, _)| *name != "__name__");
        let own = own.iter().map(|(name, value)| (&**name, value.as_str()));
        let all: LabelSet = given.chain(own).chain([("alertname", &*self.rule.name)]).collect();
        let has_empty = all.iter().any(|(_, value)| value.is_empty());
        match has_empty {
            false => all,
            true => all.iter().filter(|(_, value)| !value.is_empty()).collect(),
        }
    }

    fn texts(
        &self,
        texts: &[(Arc<str>, Text)],
        sample: &Sample,
        context: &RuleContext<'_>,
        rendered: &mut Rendered,
    ) -> Vec<(Arc<str>, String)> {
        texts.iter().map(|(name, text)| (name.clone(), self.expand(text, sample, context, rendered))).collect()
    }

    fn expand(&self, text: &Text, sample: &Sample, context: &RuleContext<'_>, rendered: &mut Rendered) -> String {
        let failed = match &text.content {
            Content::Literal => return text.raw.to_string(),
            Content::Broken(instead) => instead.clone(),
            Content::Template(template) => match template.render(&sample.labels, sample.value, context) {
                Ok(text) => return text,
                Err(error) => failure(&format!("error executing template __alert_{}: {error}", self.rule.name)),
            },
        };
        rendered.failures += 1;
        rendered.first_failure.get_or_insert_with(|| failed.clone());
        failed
    }
}

/// An error and its causes on one line.
fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
