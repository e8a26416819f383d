//! A rule's expression, whose language belongs to its source: here it is text that knows where it stands.

use std::sync::Arc;

use crate::yaml::{Document, Node, Position};

/// The text of an expression, without blanks around it.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    origin: Arc<Origin>,
}

/// What it takes to find the place of a byte of the text in the file.
struct Origin {
    /// Only its source is used: the tree is dropped.
    document: Document,
    node: Node,
    /// Bytes of blanks before the text.
    blanks: usize,
}

/// What is wrong with an expression, as whoever knows its language says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// Byte in the expression's text.
    pub offset: usize,
    pub message: String,
    pub help: Option<String>,
}

impl Expression {
    pub(super) fn new(document: &Document, node: &Node, text: &str) -> Self {
        let trimmed = text.trim();
        let origin = Origin {
            document: Document { root: None, second: None, source: document.source.clone() },
            node: node.clone(),
            blanks: text.len() - text.trim_start().len(),
        };
        Expression { text: trimmed.into(), origin: Arc::new(origin) }
    }

    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Where the byte at `offset` of the text stands in the file, whatever style of YAML holds it.
    pub fn position_at(&self, offset: usize) -> Position {
        self.origin.document.position_in(&self.origin.node, self.origin.blanks + offset)
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.text, self.origin.node.position)
    }
}

/// By text: where it stands does not matter.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}
