//! An expression that is understood: every node can be evaluated, and its types are checked.

use std::sync::Arc;

use regex::Regex;

use crate::model::Labels;
use crate::observe::metric::series::Matcher;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Number(f64),
    /// `time()`.
    Now,
    /// `scalar(…)`.
    Scalar(Box<Node>),
    /// `vector(…)`.
    Vector(Box<Node>),
    Select(Select),
    Over(Over, Window, Option<Box<Node>>),
    /// `absent_over_time(…)`, with the labels the result has.
    AbsentOver(Window, Labels),
    Absent(Box<Node>, Labels),
    Negate(Box<Node>),
    Map(Map, Box<Node>),
    /// The lower bound, the upper.
    Clamp(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    Round(Box<Node>, Option<Box<Node>>),
    /// Of the evaluation's time where there is nothing else.
    Calendar(Calendar, Option<Box<Node>>),
    Timestamp(Box<Node>),
    Sort(Box<Node>, Order),
    HistogramQuantile(Box<Node>, Box<Node>),
    LabelReplace(Box<Node>, Box<Replace>),
    LabelJoin(Box<Node>, Box<Join>),
    Aggregate(Aggregate, Box<Node>, Grouping),
    Binary(Box<Binary>),
}

/// Which series, and when.
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub matchers: Vec<Matcher>,
    pub when: When,
}

/// When something is looked at: at a fixed time or that of the evaluation, and how long before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct When {
    pub at: Option<At>,
    /// Milliseconds.
    pub offset_ms: i64,
}

/// What stands after an `@`.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Ms(i64),
    Start,
    End,
}

/// A stretch of time, of series or of an expression. Times are milliseconds.
#[derive(Clone, Debug)]
pub(super) enum Window {
    Series { select: Select, range_ms: i64 },
    Subquery { of: Box<Node>, range_ms: i64, step_ms: i64, when: When },
}

/// What is made of the values in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Rate,
    Increase,
    Delta,
    Irate,
    Idelta,
    Deriv,
    PredictLinear,
    Changes,
    Resets,
    Present,
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
    Stddev,
    Stdvar,
    Quantile,
}

/// What is made of one value.
pub(super) type Map = fn(f64) -> f64;

#[derive(Clone, Copy, Debug)]
pub(super) enum Calendar {
    Minute,
    Hour,
    DayOfWeek,
    DayOfMonth,
    DayOfYear,
    DaysInMonth,
    Month,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Up,
    Down,
}

#[derive(Clone, Debug)]
pub(super) struct Replace {
    pub into: Arc<str>,
    pub with: Arc<str>,
    pub from: Arc<str>,
    pub pattern: Regex,
}

#[derive(Clone, Debug)]
pub(super) struct Join {
    pub into: Arc<str>,
    pub between: Arc<str>,
    pub of: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(super) enum Aggregate {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    TopK(Box<Node>),
    BottomK(Box<Node>),
    Quantile(Box<Node>),
    CountValues(Arc<str>),
}

/// What stays of the labels.
#[derive(Clone, Debug)]
pub(super) enum Grouping {
    By(Vec<Arc<str>>),
    Without(Vec<Arc<str>>),
}

#[derive(Clone, Debug)]
pub(super) struct Binary {
    pub operator: Operator,
    /// A comparison gives 0 or 1 and filters nothing.
    pub bool: bool,
    pub left: Node,
    pub right: Node,
    pub matching: Matching,
    /// Both sides are scalars, so this is one.
    pub scalar: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    And,
    Or,
    Unless,
}

/// How the two sides of an operator find each other.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    /// `By` for `on`, `Without` for `ignoring`.
    pub on: Grouping,
    pub many: Many,
}

#[derive(Clone, Debug)]
pub(super) enum Many {
    /// Neither side.
    None,
    /// `group_left`: the left side, and the labels that are taken from the right.
    Left(Vec<Arc<str>>),
    Right(Vec<Arc<str>>),
}

impl Node {
    /// Whether it gives one number, and not a vector.
    pub fn is_scalar(&self) -> bool {
        match self {
            Self::Number(_) | Self::Now | Self::Scalar(_) => true,
            Self::Negate(of) => of.is_scalar(),
            Self::Binary(binary) => binary.scalar,
            Self::Vector(_)
            | Self::Select(_)
            | Self::Over(..)
            | Self::AbsentOver(..)
            | Self::Absent(..)
            | Self::Map(..)
            | Self::Clamp(..)
            | Self::Round(..)
            | Self::Calendar(..)
            | Self::Timestamp(_)
            | Self::Sort(..)
            | Self::HistogramQuantile(..)
            | Self::LabelReplace(..)
            | Self::LabelJoin(..)
            | Self::Aggregate(..) => false,
        }
    }
}

impl Operator {
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

impl Grouping {
    /// Whether a label of this name stays. A series' name only does where it is asked for.
    pub fn keeps(&self, label: &str) -> bool {
        match self {
            Self::By(names) => names.iter().any(|name| **name == *label),
            Self::Without(names) => label != crate::model::labels::NAME && !names.iter().any(|name| **name == *label),
        }
    }
}
