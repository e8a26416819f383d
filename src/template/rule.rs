//! Templates of rules: labels and annotations of alerts (contract prometheus §c).

use gotmpl::Value;

use super::error::TemplateError;
use super::functions;
use super::run::{self, Capped, Flavor, Limits, Run};
use super::value::{labels, list, sample, tagged, text};
use super::{templates, tree};
use crate::model::{LabelSet, Sample, Timestamp};

const PRELUDE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
{{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A text of a rule, parsed.
#[derive(Clone)]
pub struct RuleTemplate {
    name: String,
    template: gotmpl::Template,
}

/// What a rule's text sees besides labels and value.
pub struct RuleContext<'a> {
    pub external_labels: &'a LabelSet,
    pub external_url: &'a str,
    /// The slot of the evaluation.
    pub now: Timestamp,
    /// Answers an instant query at the slot.
    pub query: &'a dyn Fn(&str) -> Result<Vec<Sample>, String>,
    pub limits: Limits,
}

impl std::fmt::Debug for RuleTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleTemplate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl RuleTemplate {
    /// Reads a text of the alert `alert_name`.
    ///
    /// # Errors
    /// It does not parse, or names a function, variable or template that is not there.
    pub fn parse(alert_name: &str, text: &str) -> Result<Self, TemplateError> {
        let name = format!("__alert_{alert_name}");
        let parsed = tree::parse(&name, &format!("{PRELUDE}{text}"), |name| functions::knows(Flavor::Rule, name))?;
        let defined = |called: &str| called == name || parsed.defines.iter().any(|(defined, _)| defined == called);
        if let Some((missing, line)) = parsed.calls.iter().find(|(called, _)| !defined(called)) {
            return Err(TemplateError::at_line(&name, *line, &format!("template \"{missing}\" not defined")));
        }
        let mut template = templates::runner(Flavor::Rule)?;
        for (defined, body) in parsed.defines {
            template = template.add_parse_tree(&defined, body);
        }
        template = template.add_parse_tree(&name, parsed.root.clone()).add_parse_tree(templates::ROOT, parsed.root);
        Ok(RuleTemplate { name, template })
    }

    /// # Errors
    /// The text fails on this data, or exceeds the limits.
    pub fn render(&self, set: &LabelSet, value: f64, context: &RuleContext<'_>) -> Result<String, TemplateError> {
        let data = tagged(
            "rule",
            [
                ("Labels", labels(set)),
                ("ExternalLabels", labels(context.external_labels)),
                ("ExternalURL", text(context.external_url)),
                ("Value", Value::Float(value)),
            ],
        );
        let limits = context.limits;
        let mut state = Run::new(Flavor::Rule, context.now, context.external_url, limits);
        // A rendering is pure but for its queries: whenever it needs an answer, it is run anew with that answer.
        for _ in 0..=limits.queries {
            let mut out = Capped::new(limits.output_bytes);
            let template = self.template.clone().max_range_iters(limits.rounds);
            let (result, after) = run::with(state, || template.execute_fmt(&mut out, &data));
            state = after.unwrap_or_else(|| Run::new(Flavor::Rule, context.now, context.external_url, limits));
            let Some(asked) = state.asked.take() else {
                return match result {
                    Ok(()) => Ok(out.text),
                    Err(error) => Err(TemplateError::from_engine(&self.name, &error)),
                };
            };
            let answer = match (context.query)(&asked) {
                Ok(samples) => Ok(list(samples.iter().map(sample))),
                Err(reason) => Err(reason),
            };
            state.answers.insert(asked, answer);
        }
        Err(TemplateError::plain(format!("template: {}: more than {} queries", self.name, limits.queries)))
    }
}
