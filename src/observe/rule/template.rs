//! The templates of labels and annotations, as far as rules use them: values, labels, pipes, functions and conditions of
//! Go's templates. What is beyond that is told when it is read, and shown as it was written.
//! <https://prometheus.io/docs/prometheus/latest/configuration/template_reference/>

mod call;
mod format;
mod parse;

use std::sync::Arc;

use crate::model::Labels;

/// A text with places to be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// As it was written.
    pub text: Arc<str>,
    /// `None` where it is beyond what is understood.
    nodes: Option<Arc<[Node]>>,
}

/// Why a template is not understood, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In bytes, from its beginning.
    pub offset: usize,
    pub message: String,
}

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Labels of the series, its name among them.
    pub labels: &'a Labels,
    pub value: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(Arc<str>),
    Term(Term),
    If { condition: Term, then: Vec<Node>, otherwise: Vec<Node> },
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Text(Arc<str>),
    /// Without a fraction it is written as a whole number.
    Number {
        value: f64,
        whole: bool,
    },
    Flag(bool),
    Value,
    Labels,
    Label(Arc<str>),
    /// External labels and the server's own address: there is no server, so there are none.
    NoLabels,
    Nothing,
    Call(call::Function, Vec<Term>),
}

/// What a term has come to.
#[derive(Clone, Debug, PartialEq)]
enum Made {
    Text(String),
    Number { value: f64, whole: bool },
    Flag(bool),
    Labels(Labels),
}

impl Template {
    /// Reads a text. Beside what is not understood of it, if anything.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Option<Fault>) {
        let (nodes, fault) = match parse::parse(text) {
            Ok(nodes) => (Some(nodes.into()), None),
            Err(fault) => (None, Some(fault)),
        };
        (Self { text: text.into(), nodes }, fault)
    }

    /// The text with everything filled in. Where a function cannot do with what it is given, the text says so, in the words
    /// of Prometheus.
    #[must_use]
    pub fn fill(&self, given: Given<'_>) -> String {
        let Some(nodes) = &self.nodes else { return self.text.to_string() };
        let mut out = String::new();
        match write(nodes, given, &mut out) {
            Ok(()) => out,
            Err(why) => format!("<error expanding template: {why}>"),
        }
    }
}

fn write(nodes: &[Node], given: Given<'_>, out: &mut String) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Term(term) => out.push_str(&make(term, given)?.to_string()),
            Node::If { condition, then, otherwise } => {
                let branch = if make(condition, given)?.holds() { then } else { otherwise };
                write(branch, given, out)?;
            }
        }
    }
    Ok(())
}

fn make(term: &Term, given: Given<'_>) -> Result<Made, String> {
    Ok(match term {
        Term::Text(text) => Made::Text(text.to_string()),
        Term::Number { value, whole } => Made::Number { value: *value, whole: *whole },
        Term::Flag(flag) => Made::Flag(*flag),
        Term::Value => Made::Number { value: given.value, whole: false },
        Term::Labels => Made::Labels(given.labels.clone()),
        Term::Label(name) => Made::Text(given.labels.get(name).to_owned()),
        Term::NoLabels => Made::Labels(Labels::default()),
        Term::Nothing => Made::Text(String::new()),
        Term::Call(function, arguments) => {
            let arguments: Vec<Made> = arguments.iter().map(|term| make(term, given)).collect::<Result<_, _>>()?;
            function.call(&arguments)?
        }
    })
}

impl Made {
    /// Go's truth: not nothing, not empty, not zero.
    fn holds(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Number { value, .. } => *value != 0.0,
            Self::Flag(flag) => *flag,
            Self::Labels(labels) => !labels.is_empty(),
        }
    }
}

impl std::fmt::Display for Made {
    /// As Go's `%v`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number { value, whole: true } => write!(f, "{value:.0}"),
            Self::Number { value, whole: false } => f.write_str(&format::general(*value, None)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Labels(labels) => {
                let all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                write!(f, "map[{}]", all.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
