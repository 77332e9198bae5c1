//! From what the parser of the language makes of a text to nodes that can be evaluated; what is not evaluated here is refused
//! with its place.

use std::sync::Arc;
use std::time::Duration;

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{self, AtModifier, Expr as Parsed, Offset, VectorSelector, token};

use crate::model::Labels;
use crate::model::labels::NAME;
use crate::observe::metric::series::{Matcher, Must};
use crate::observe::text::clean;

use super::Fault;
use super::tree::{Aggregate, At, Binary, Grouping, Many, Matching, Node, Operator, Select, When, Window};
use super::words::{Word, suspect, words};

/// How deep operators and calls may stand in each other.
const DEEP: usize = 100;
/// How often a subquery looks where it does not say: Prometheus' default evaluation interval.
const STEP_MS: i64 = 60_000;

/// Reads an expression that gives a scalar or a vector.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let words = words(text)?;
    let parsed = parser::parse(text).map_err(|why| misread(&why, &words, text))?;
    let mut reader = Reader { words, next: 0, depth: 0 };
    match &parsed {
        Parsed::MatrixSelector(_) | Parsed::Subquery(_) => Err(Fault::new(
            0,
            "this gives a range of values at each time: a rule needs one value, as of rate(…) or last_over_time(…)",
        )),
        Parsed::StringLiteral(_) => Err(Fault::new(0, "this is a text: a rule needs values")),
        other => reader.node(other),
    }
}

/// The parser's words, and the place they are about: that of what they quote, else where neighbours do not fit.
fn misread(why: &str, words: &[Word<'_>], text: &str) -> Fault {
    if why.starts_with("invalid promql query") {
        let (at, word) = suspect(words, text);
        let message = word.map_or_else(|| "the expression ends too early".to_owned(), |word| format!("{word} cannot stand here"));
        return Fault::new(at, message);
    }
    let told = why.split(['\'', ' ', '"']).rev().filter(|part| !part.is_empty());
    let at = told.into_iter().find_map(|part| {
        let part = part.trim_matches([':', ',']);
        words.iter().find(|word| word.text == part && !matches!(part, "and" | "or" | "by" | "on")).map(|word| word.at)
    });
    let regex = || Some(words.iter().find(|word| word.text.len() > 2 && why.ends_with(&word.text[1..word.text.len() - 1]))?.at);
    Fault::new(at.or_else(regex).unwrap_or(0), why)
}

pub(super) struct Reader<'a> {
    words: Vec<Word<'a>>,
    /// The first word that was not come across yet: the tree is walked in the order of the text.
    next: usize,
    depth: usize,
}

impl Reader<'_> {
    pub(super) fn node(&mut self, parsed: &Parsed) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err(self.fault("this is nested too deep"));
        }
        let node = match parsed {
            Parsed::Paren(paren) => self.node(&paren.expr),
            Parsed::NumberLiteral(number) => Ok(Node::Number(number.val)),
            Parsed::Unary(unary) => Ok(Node::Negate(Box::new(self.node(&unary.expr)?))),
            Parsed::VectorSelector(selector) => Ok(Node::Select(self.select(selector)?)),
            Parsed::Aggregate(aggregate) => self.aggregate(aggregate),
            Parsed::Binary(binary) => self.binary(binary),
            Parsed::Call(call) => self.call(call),
            Parsed::StringLiteral(_) => Err(self.fault("a text cannot stand here")),
            Parsed::MatrixSelector(_) | Parsed::Subquery(_) => Err(self.fault("a range cannot stand here")),
            Parsed::Extension(_) => Err(self.fault("this is not evaluated here")),
        };
        self.depth -= 1;
        node
    }

    /// Goes on to a word and tells where it stands.
    pub(super) fn come_to(&mut self, text: &str) -> usize {
        let rest = self.words.get(self.next..).unwrap_or(&[]);
        match rest.iter().position(|word| word.text.eq_ignore_ascii_case(text)) {
            Some(further) => {
                self.next += further + 1;
                self.words[self.next - 1].at
            }
            None => self.here(),
        }
    }

    fn here(&self) -> usize {
        self.next.checked_sub(1).and_then(|at| self.words.get(at)).map_or(0, |word| word.at)
    }

    /// Something is wrong about where the walk is.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.here(), message.into())
    }

    pub(super) fn vector(&mut self, parsed: &Parsed) -> Result<Box<Node>, Fault> {
        let node = self.node(parsed)?;
        if node.is_scalar() { Err(self.fault("a vector is needed here, and this is one number")) } else { Ok(Box::new(node)) }
    }

    pub(super) fn scalar(&mut self, parsed: &Parsed) -> Result<Box<Node>, Fault> {
        let node = self.node(parsed)?;
        if node.is_scalar() { Ok(Box::new(node)) } else { Err(self.fault("one number is needed here, and this is a vector")) }
    }

    pub(super) fn text(&mut self, parsed: &Parsed) -> Result<Arc<str>, Fault> {
        match parsed {
            // It may come to be seen.
            Parsed::StringLiteral(text) => Ok(clean(&text.val).as_ref().into()),
            Parsed::Paren(paren) => self.text(&paren.expr),
            _ => Err(self.fault("a text is needed here")),
        }
    }

    pub(super) fn window(&mut self, parsed: &Parsed) -> Result<Window, Fault> {
        match parsed {
            Parsed::Paren(paren) => self.window(&paren.expr),
            Parsed::MatrixSelector(matrix) => {
                Ok(Window::Series { select: self.select(&matrix.vs)?, range_ms: milliseconds(matrix.range) })
            }
            Parsed::Subquery(subquery) => {
                let of = self.vector(&subquery.expr)?;
                let step_ms = subquery.step.map_or(STEP_MS, milliseconds);
                let when = self.when(subquery.offset.as_ref(), subquery.at.as_ref());
                Ok(Window::Subquery { of, range_ms: milliseconds(subquery.range), step_ms: step_ms.max(1), when })
            }
            _ => Err(self.fault("a range is needed here, such as [5m] after a name")),
        }
    }

    fn select(&mut self, selector: &VectorSelector) -> Result<Select, Fault> {
        let mut matchers = Vec::new();
        if let Some(name) = &selector.name {
            self.come_to(name);
            matchers.push(Matcher { label: NAME.into(), must: Must::Be(name.as_str().into()) });
        }
        matchers.extend(self.matchers(&selector.matchers)?);
        Ok(Select { matchers, when: self.when(selector.offset.as_ref(), selector.at.as_ref()) })
    }

    fn matchers(&mut self, matchers: &Matchers) -> Result<Vec<Matcher>, Fault> {
        if !matchers.or_matchers.is_empty() {
            self.come_to("{");
            self.come_to("or");
            return Err(self.fault("or between matchers is not of Prometheus' language, and not evaluated here"));
        }
        let matchers = matchers.matchers.iter().map(|matcher| {
            let must = match &matcher.op {
                MatchOp::Equal => Must::Be(matcher.value.as_str().into()),
                MatchOp::NotEqual => Must::NotBe(matcher.value.as_str().into()),
                // Anchored by the parser.
                MatchOp::Re(pattern) => Must::Fit(pattern.clone()),
                MatchOp::NotRe(pattern) => Must::NotFit(pattern.clone()),
            };
            Matcher { label: matcher.name.as_str().into(), must }
        });
        Ok(matchers.collect())
    }

    #[expect(clippy::unused_self, reason = "it is one of the reader's steps")]
    fn when(&self, offset: Option<&Offset>, at: Option<&AtModifier>) -> When {
        let offset_ms = match offset {
            Some(Offset::Pos(by)) => milliseconds(*by),
            Some(Offset::Neg(by)) => -milliseconds(*by),
            None => 0,
        };
        let at = at.map(|at| match at {
            AtModifier::Start => At::Start,
            AtModifier::End => At::End,
            // A time no calendar holds is before or after everything.
            AtModifier::At(time) => {
                let at = jiff::Timestamp::try_from(*time).unwrap_or(jiff::Timestamp::MAX);
                At::Ms(at.as_millisecond())
            }
        });
        When { at, offset_ms }
    }

    fn aggregate(&mut self, aggregate: &parser::AggregateExpr) -> Result<Node, Fault> {
        self.come_to(&aggregate.op.to_string());
        let grouping = grouping(aggregate.modifier.as_ref());
        let param = |reader: &mut Self| match &aggregate.param {
            Some(param) => reader.scalar(param),
            None => Err(reader.fault("its first argument is missing")),
        };
        let operation = match aggregate.op.id() {
            token::T_SUM => Aggregate::Sum,
            token::T_AVG => Aggregate::Avg,
            token::T_MIN => Aggregate::Min,
            token::T_MAX => Aggregate::Max,
            token::T_COUNT => Aggregate::Count,
            token::T_GROUP => Aggregate::Group,
            token::T_STDDEV => Aggregate::Stddev,
            token::T_STDVAR => Aggregate::Stdvar,
            token::T_TOPK => Aggregate::TopK(param(self)?),
            token::T_BOTTOMK => Aggregate::BottomK(param(self)?),
            token::T_QUANTILE => Aggregate::Quantile(param(self)?),
            token::T_COUNT_VALUES => match &aggregate.param {
                Some(param) => Aggregate::CountValues(self.text(param)?),
                None => return Err(self.fault("its first argument is missing")),
            },
            _ => return Err(self.fault(format!("{} is not evaluated here", aggregate.op))),
        };
        Ok(Node::Aggregate(operation, self.vector(&aggregate.expr)?, grouping))
    }

    fn binary(&mut self, binary: &parser::BinaryExpr) -> Result<Node, Fault> {
        let left = self.node(&binary.lhs)?;
        self.come_to(&binary.op.to_string());
        let Some(operator) = operator(binary.op.id()) else {
            return Err(self.fault(format!("{} is not evaluated here", binary.op)));
        };
        let mut matching = Matching { on: Grouping::Without(Vec::new()), many: Many::None };
        let mut bool = false;
        if let Some(modifier) = &binary.modifier {
            if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
                self.come_to("fill");
                return Err(self.fault("fill is not evaluated here"));
            }
            bool = modifier.return_bool;
            matching.on = grouping_of(modifier.matching.as_ref(), Grouping::Without(Vec::new()));
            matching.many = match &modifier.card {
                parser::VectorMatchCardinality::ManyToOne(labels) => Many::Left(names(labels)),
                parser::VectorMatchCardinality::OneToMany(labels) => Many::Right(names(labels)),
                parser::VectorMatchCardinality::OneToOne | parser::VectorMatchCardinality::ManyToMany => Many::None,
            };
        }
        let right = self.node(&binary.rhs)?;
        let scalar = left.is_scalar() && right.is_scalar();
        Ok(Node::Binary(Box::new(Binary { operator, bool, left, right, matching, scalar })))
    }

    /// The labels a selector says a series has: those of a result for one that is not there.
    pub(super) fn absent_labels(parsed: &Parsed) -> Labels {
        let matchers = match parsed {
            Parsed::Paren(paren) => return Self::absent_labels(&paren.expr),
            Parsed::VectorSelector(selector) => &selector.matchers,
            Parsed::MatrixSelector(matrix) => &matrix.vs.matchers,
            _ => return Labels::default(),
        };
        // A label that is named twice is told of neither time.
        let mut labels: Vec<(&str, &str)> = Vec::new();
        for matcher in matchers.matchers.iter().filter(|m| m.name != NAME) {
            match labels.iter_mut().find(|(name, _)| *name == matcher.name) {
                Some((_, value)) => *value = "",
                None if matches!(matcher.op, MatchOp::Equal) => labels.push((&matcher.name, &matcher.value)),
                None => {}
            }
        }
        Labels::new(
            labels
                .into_iter()
                .map(|(name, value)| (clean(name), clean(value)))
                .map(|(n, v)| (Arc::<str>::from(n), Arc::<str>::from(v))),
        )
    }
}

fn milliseconds(time: Duration) -> i64 {
    // A thousand years are long enough to add to another.
    const LONG: i64 = 1_000 * 365 * 86_400_000;
    i64::try_from(time.as_millis()).unwrap_or(LONG).min(LONG)
}

fn names(labels: &promql_parser::label::Labels) -> Vec<Arc<str>> {
    labels.labels.iter().map(|label| label.as_str().into()).collect()
}

fn grouping(modifier: Option<&parser::LabelModifier>) -> Grouping {
    grouping_of(modifier, Grouping::By(Vec::new()))
}

fn grouping_of(modifier: Option<&parser::LabelModifier>, otherwise: Grouping) -> Grouping {
    match modifier {
        Some(parser::LabelModifier::Include(labels)) => Grouping::By(names(labels)),
        Some(parser::LabelModifier::Exclude(labels)) => Grouping::Without(names(labels)),
        None => otherwise,
    }
}

fn operator(id: token::TokenId) -> Option<Operator> {
    Some(match id {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Sub,
        token::T_MUL => Operator::Mul,
        token::T_DIV => Operator::Div,
        token::T_MOD => Operator::Mod,
        token::T_POW => Operator::Pow,
        token::T_ATAN2 => Operator::Atan2,
        token::T_EQLC => Operator::Equal,
        token::T_NEQ => Operator::NotEqual,
        token::T_GTR => Operator::Greater,
        token::T_LSS => Operator::Less,
        token::T_GTE => Operator::GreaterEqual,
        token::T_LTE => Operator::LessEqual,
        token::T_LAND => Operator::And,
        token::T_LOR => Operator::Or,
        token::T_LUNLESS => Operator::Unless,
        _ => return None,
    })
}
