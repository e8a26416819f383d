//! Stands in for `crate::template` until it is there; same signatures.
use crate::model::{LabelSet, Sample, Timestamp};
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    pub text: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}
#[derive(Debug, Clone, Default)]
#[expect(dead_code, reason = "a stand-in")]
pub struct Limits {
    pub output_bytes: usize,
    pub time: std::time::Duration,
}
#[expect(dead_code, reason = "a stand-in")]
pub struct RuleContext<'a> {
    pub external_labels: &'a LabelSet,
    pub external_url: &'a str,
    pub now: Timestamp,
    pub query: &'a dyn Fn(&str) -> Result<Vec<Sample>, String>,
    pub limits: Limits,
}
#[derive(Debug, Clone)]
pub struct RuleTemplate(String);
impl RuleTemplate {
    pub fn parse(_n: &str, text: &str) -> Result<Self, TemplateError> {
        Ok(RuleTemplate(text.into()))
    }
    pub fn render(&self, labels: &LabelSet, value: f64, ctx: &RuleContext<'_>) -> Result<String, TemplateError> {
        let mut t = self.0.replace("{{ $value }}", &value.to_string());
        for (n, v) in labels.iter() {
            t = t.replace(&format!("{{{{ $labels.{n} }}}}"), v);
        }
        if t.contains("fail") {
            return Err(TemplateError { text: "failed".into(), line: None, column: None });
        }
        if t.contains("{{ query") {
            let got = (ctx.query)("q").map_err(|e| TemplateError { text: e, line: None, column: None })?;
            t = got.len().to_string();
        }
        Ok(t)
    }
}
