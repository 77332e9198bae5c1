//! The filter language of lists: `health:unhealthy image:backend !name:canary label:app=x "two words"`, all of which must hold.

mod own;

use own::own;

use super::Subject;
use crate::app::figures;
use crate::app::state::{Screen, State, View};
use crate::model::problem::nearest;
use crate::observe::metric::Figure;

/// What a term looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Health,
    State,
    Image,
    Tier,
    Engine,
    Environment,
    Workload,
    Kind,
    Node,
    Ip,
    Port,
    Label,
    Revision,
    Restarts,
    Cpu,
    Memory,
    Source,
    What,
    Detail,
    Outcome,
    By,
}

use Field::{
    By, Cpu, Detail, Engine, Environment, Health, Image, Ip, Kind, Label, Memory, Name, Node, Outcome, Port, Restarts, Revision,
    Source, State as InState, Tier, What, Workload,
};

/// Words a person may write for a field; the first of each is its name.
const WORDS: &[(&str, Field)] = &[
    ("name", Name),
    ("health", Health),
    ("state", InState),
    ("status", InState),
    ("image", Image),
    ("tier", Tier),
    ("engine", Engine),
    ("environment", Environment),
    ("env", Environment),
    ("workload", Workload),
    ("kind", Kind),
    ("node", Node),
    ("ip", Ip),
    ("port", Port),
    ("ports", Port),
    ("label", Label),
    ("revision", Revision),
    ("rev", Revision),
    ("restarts", Restarts),
    ("rst", Restarts),
    ("cpu", Cpu),
    ("memory", Memory),
    ("mem", Memory),
    ("subject", Name),
    ("source", Source),
    ("what", What),
    ("severity", What),
    ("detail", Detail),
    ("outcome", Outcome),
    ("by", By),
];

/// The fields rows of a screen have.
fn fields(screen: Screen) -> &'static [Field] {
    match screen {
        Screen::Fleet => &[Name, Health, Tier, Engine],
        Screen::Workloads => {
            &[Name, Health, InState, Image, Kind, Node, Environment, Tier, Engine, Label, Revision, Restarts, Cpu, Memory]
        }
        Screen::Instances | Screen::Health | Screen::Metrics => &[
            Name,
            Health,
            InState,
            Image,
            Kind,
            Environment,
            Tier,
            Engine,
            Workload,
            Node,
            Ip,
            Port,
            Label,
            Revision,
            Restarts,
            Cpu,
            Memory,
        ],
        Screen::Alerts => &[Name, Environment, InState, Source, What, Detail, Label],
        Screen::Timeline => &[Name, Environment, Source, What, Detail],
        Screen::Operations => &[Name, Environment, What, Outcome, By],
        Screen::Revisions => &[Name, Image, Revision, By, What],
        Screen::Logs | Screen::Describe => &[],
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    Contains,
    /// Words of a closed set are matched from their start: `healthy` is not in `unhealthy`.
    Starts,
    Above,
    AtLeast,
    Below,
    AtMost,
    Is,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    not: bool,
    /// `None`: whatever the row is known by.
    field: Option<Field>,
    test: Test,
    /// Lower case.
    value: String,
    number: f64,
}

/// A parsed filter. Terms that make no sense are left out and told in `error`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
    /// The first mistake, as a sentence.
    pub error: Option<String>,
}

/// What is wrong with the view's filter, if anything.
#[must_use]
pub fn filter_error(view: &View) -> Option<String> {
    if view.table.filter.is_empty() { None } else { Filter::parse(&view.table.filter, view.screen).error }
}

impl Filter {
    /// Reads a filter for a screen's rows.
    #[must_use]
    pub fn parse(text: &str, screen: Screen) -> Self {
        let mut filter = Self::default();
        for word in words(text) {
            match term(&word, screen) {
                Ok(Some(term)) => filter.terms.push(term),
                Ok(None) => {}
                Err(error) => {
                    filter.error.get_or_insert(error);
                }
            }
        }
        filter
    }

    /// Whether the row is to be shown.
    #[must_use]
    pub fn admits(&self, state: &State, row: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| holds(state, row, term) != term.not)
    }
}

/// A word as typed: quotes are gone, but where they were still counts.
#[derive(Debug, Default, PartialEq)]
struct Word {
    not: bool,
    field: Option<String>,
    value: String,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quoted = false;
    let mut was_quoted = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                was_quoted = true;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => {
                words.extend(word.take());
                was_quoted = false;
            }
            '!' if word.is_none() => word = Some(Word { not: true, ..Word::default() }),
            ':' if !quoted && !was_quoted => {
                let word = word.get_or_insert_default();
                if word.field.is_none() && !word.value.is_empty() {
                    word.field = Some(std::mem::take(&mut word.value));
                } else {
                    word.value.push(c);
                }
            }
            c => word.get_or_insert_default().value.push(c),
        }
    }
    words.extend(word);
    words
}

fn term(word: &Word, screen: Screen) -> Result<Option<Term>, String> {
    let Some(name) = &word.field else {
        if word.value.is_empty() {
            return Ok(None);
        }
        let value = word.value.to_lowercase();
        return Ok(Some(Term { not: word.not, field: None, test: Test::Contains, value, number: 0.0 }));
    };
    let lower = name.to_lowercase();
    let known = fields(screen);
    let field = WORDS.iter().find(|(w, f)| *w == lower && known.contains(f)).map(|(_, f)| *f);
    let Some(field) = field else {
        let words: Vec<&str> = WORDS.iter().filter(|(_, f)| known.contains(f)).map(|(w, _)| *w).collect();
        return Err(match nearest(&lower, words.iter().copied()) {
            Some(near) => format!("no column \"{name}\" here, perhaps {near}:"),
            None => format!("no column \"{name}\" here; there are {}", firsts(known).join(", ")),
        });
    };
    if word.value.is_empty() {
        return Ok(None);
    }
    let (test, value) = test(field, &word.value);
    let number = if is_number(field) {
        number(field, &value).ok_or_else(|| format!("{name}: wants a number, like {name}:>3"))?
    } else {
        0.0
    };
    Ok(Some(Term { not: word.not, field: Some(field), test, value, number }))
}

fn firsts(known: &[Field]) -> Vec<&'static str> {
    known.iter().filter_map(|f| WORDS.iter().find(|(_, field)| field == f).map(|(w, _)| *w)).collect()
}

fn is_number(field: Field) -> bool {
    matches!(field, Restarts | Cpu | Memory | Revision)
}

fn test(field: Field, value: &str) -> (Test, String) {
    let lower = value.to_lowercase();
    if is_number(field) {
        for (sign, test) in [(">=", Test::AtLeast), ("<=", Test::AtMost), (">", Test::Above), ("<", Test::Below), ("=", Test::Is)]
        {
            if let Some(rest) = lower.strip_prefix(sign) {
                return (test, rest.to_owned());
            }
        }
        return (if field == Revision { Test::Is } else { Test::AtLeast }, lower);
    }
    let closed = matches!(field, Health | InState | Tier | Engine | Kind | Source | Outcome);
    (if closed { Test::Starts } else { Test::Contains }, lower)
}

/// A number, of bytes with an optional unit: `512m`, `1.5g`.
fn number(field: Field, text: &str) -> Option<f64> {
    let text = text.trim_end_matches("ib").trim_end_matches('b');
    let (digits, factor) = match text.chars().last() {
        Some('k') if field == Memory => (&text[..text.len() - 1], 1024.0),
        Some('m') if field == Memory => (&text[..text.len() - 1], 1024.0 * 1024.0),
        Some('g') if field == Memory => (&text[..text.len() - 1], 1024.0 * 1024.0 * 1024.0),
        Some(_) | None => (text, 1.0),
    };
    digits.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n * factor)
}

impl Term {
    fn fits(&self, text: &str) -> bool {
        match self.test {
            Test::Starts => text.get(..self.value.len()).is_some_and(|head| head.eq_ignore_ascii_case(&self.value)),
            Test::Contains | Test::Above | Test::AtLeast | Test::Below | Test::AtMost | Test::Is => contains(text, &self.value),
        }
    }

    fn counts(&self, value: Option<f64>) -> bool {
        value.is_some_and(|v| match self.test {
            Test::Above => v > self.number,
            Test::AtLeast => v >= self.number,
            Test::Below => v < self.number,
            Test::AtMost => v <= self.number,
            Test::Is | Test::Contains | Test::Starts => (v - self.number).abs() < f64::EPSILON,
        })
    }
}

/// Whether `text` holds `needle` (lower case), case aside.
pub(in crate::app) fn contains(text: &str, needle: &str) -> bool {
    if text.is_ascii() && needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return needle.is_empty() || text.windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}

fn holds(state: &State, row: &Subject<'_>, term: &Term) -> bool {
    let Some(field) = term.field else { return known_by(state, row, term) };
    match field {
        Health => row.health().is_some_and(|h| term.fits(h.word())),
        Cpu => term.counts(figures::of(state, row, Figure::Cpu).map(|f| f.value)),
        Memory => term.counts(figures::of(state, row, Figure::Memory).map(|f| f.value)),
        Environment => match row {
            Subject::Past(p) => p.environment().is_some_and(|e| term.fits(e)),
            Subject::Connection(_)
            | Subject::Environment(_)
            | Subject::Workload(..)
            | Subject::Instance(..)
            | Subject::Revision(..)
            | Subject::Running(_)
            | Subject::Alert(..)
            | Subject::Item(..) => row.environment().is_some_and(|id| term.fits(&id.name)),
        },
        Name => term.fits(row.name()),
        Tier | Engine => snapshot_word(row, field).is_some_and(|word| term.fits(word)),
        InState | Image | Workload | Kind | Node | Ip | Port | Label | Revision | Restarts | Source | What | Detail | Outcome
        | By => own(row, field, term),
    }
}

/// Text without a column: whatever the row is known by.
fn known_by(state: &State, row: &Subject<'_>, term: &Term) -> bool {
    term.fits(row.name())
        || match row {
            Subject::Environment(s) => term.fits(&state.name_of(&s.environment.id)),
            Subject::Alert(_, a) => term.fits(&a.words()) || term.fits(&a.labels.to_string()),
            Subject::Item(_, item) => term.fits(&item.what) || term.fits(&item.detail),
            Subject::Past(p) => p.environment().is_some_and(|e| term.fits(e)),
            Subject::Revision(_, r) => r.cause.as_ref().is_some_and(|c| term.fits(c)) || r.number.to_string() == term.value,
            Subject::Instance(_, _, i) => i.id.as_str().starts_with(&term.value),
            Subject::Connection(_) | Subject::Workload(..) | Subject::Running(_) => false,
        }
}

fn snapshot_word(row: &Subject<'_>, field: Field) -> Option<&'static str> {
    let (Subject::Environment(s) | Subject::Workload(s, _) | Subject::Instance(s, _, _)) = row else { return None };
    Some(if field == Tier { s.environment.tier.word() } else { s.environment.engine.word() })
}
