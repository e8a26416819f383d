//! What is wrong with a template, in Go's words and with its place.

/// A template that cannot be read or that failed; displays as Go's own text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    pub text: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}

/// Separates place and text of an error on its way through the engine.
const MARK: char = '\u{1}';

/// The place of a function call or field, as it travels in the tree: `\u{1}line\u{1}column\u{1}prefix`.
pub(super) fn place(name: &str, executing: &str, (line, column): (usize, usize), node: &str) -> String {
    let node = match node.chars().count() > 20 {
        true => format!("{}...", node.chars().take(20).collect::<String>()),
        false => node.to_owned(),
    };
    format!("{MARK}{line}{MARK}{column}{MARK}template: {name}:{line}:{column}: executing \"{executing}\" at <{node}>: ")
}

/// An error at a place; one that has a place already keeps it.
pub(super) fn located(place: &str, reason: &str) -> gotmpl::TemplateError {
    match reason.starts_with(MARK) {
        true => gotmpl::TemplateError::Exec(reason.to_owned()),
        false => gotmpl::TemplateError::Exec(format!("{place}{reason}")),
    }
}

impl TemplateError {
    pub(super) fn at_line(name: &str, line: usize, reason: &str) -> Self {
        TemplateError { text: format!("template: {name}:{line}: {reason}"), line: Some(line), column: None }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        TemplateError { text: text.into(), line: None, column: None }
    }

    /// An error of the engine while template `name` was read or run.
    pub(super) fn from_engine(name: &str, error: &gotmpl::TemplateError) -> Self {
        use gotmpl::TemplateError as Engine;
        match error {
            Engine::Parse { line, col, message, .. } | Engine::Lex { line, col, message, .. } => {
                TemplateError { column: Some(*col), ..TemplateError::at_line(name, *line, message) }
            }
            Engine::Exec(text) if text.starts_with(MARK) => {
                let mut parts = text.splitn(4, MARK).skip(1);
                let line = parts.next().and_then(|line| line.parse().ok());
                let column = parts.next().and_then(|column| column.parse().ok());
                TemplateError { text: parts.next().unwrap_or_default().to_owned(), line, column }
            }
            Engine::Exec(text) => TemplateError::plain(format!("template: {name}: executing \"{name}\": {text}")),
            Engine::UndefinedTemplate(missing) => TemplateError::plain(format!(
                "template: {name}: executing \"{name}\": template \"{missing}\" not defined"
            )),
            Engine::Write => TemplateError::plain(format!("template: {name}: the output is too large")),
            other => TemplateError::plain(format!("template: {name}: {other}")),
        }
    }
}
