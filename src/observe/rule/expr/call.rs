//! The functions that are known, and what their arguments are.

use promql_parser::parser::{self, Expr as Parsed};
use regex::Regex;

use super::Fault;
use super::read::Reader;
use super::tree::{Calendar, Join, Map, Node, Order, Over, Replace};

impl Reader<'_> {
    pub(super) fn call(&mut self, call: &parser::Call) -> Result<Node, Fault> {
        let name = call.func.name;
        self.come_to(name);
        let args: Vec<&Parsed> = call.args.args.iter().map(AsRef::as_ref).collect();
        if let Some(over) = over(name) {
            return self.over(over, &args);
        }
        if let (Some(map), [of]) = (map(name), args.as_slice()) {
            return Ok(Node::Map(map, self.vector(of)?));
        }
        if let Some(calendar) = calendar(name) {
            let of = args.first().map(|of| self.vector(of)).transpose()?;
            return Ok(Node::Calendar(calendar, of));
        }
        match (name, args.as_slice()) {
            ("time", []) => Ok(Node::Now),
            ("pi", []) => Ok(Node::Number(std::f64::consts::PI)),
            ("vector", [of]) => Ok(Node::Vector(self.scalar(of)?)),
            ("scalar", [of]) => Ok(Node::Scalar(self.vector(of)?)),
            ("absent", [of]) => Ok(Node::Absent(self.vector(of)?, Self::absent_labels(of))),
            ("absent_over_time", [of]) => Ok(Node::AbsentOver(self.window(of)?, Self::absent_labels(of))),
            ("timestamp", [of]) => Ok(Node::Timestamp(self.vector(of)?)),
            ("sort", [of]) => Ok(Node::Sort(self.vector(of)?, Order::Up)),
            ("sort_desc", [of]) => Ok(Node::Sort(self.vector(of)?, Order::Down)),
            ("clamp", [of, low, high]) => Ok(Node::Clamp(self.vector(of)?, Some(self.scalar(low)?), Some(self.scalar(high)?))),
            ("clamp_min", [of, low]) => Ok(Node::Clamp(self.vector(of)?, Some(self.scalar(low)?), None)),
            ("clamp_max", [of, high]) => Ok(Node::Clamp(self.vector(of)?, None, Some(self.scalar(high)?))),
            ("round", [of]) => Ok(Node::Round(self.vector(of)?, None)),
            ("round", [of, to]) => Ok(Node::Round(self.vector(of)?, Some(self.scalar(to)?))),
            ("histogram_quantile", [quantile, of]) => Ok(Node::HistogramQuantile(self.scalar(quantile)?, self.vector(of)?)),
            ("label_replace", [of, into, with, from, pattern]) => self.label_replace(of, [into, with, from, pattern]),
            ("label_join", [of, into, between, from @ ..]) => {
                let of = self.vector(of)?;
                let (into, between) = (self.text(into)?, self.text(between)?);
                self.label_name(&into)?;
                let from = from.iter().map(|label| self.text(label)).collect::<Result<Vec<_>, Fault>>()?;
                from.iter().try_for_each(|label| self.label_name(label))?;
                Ok(Node::LabelJoin(of, Box::new(Join { into, between, of: from })))
            }
            _ => Err(self.fault(format!("{name} is not evaluated here"))),
        }
    }

    fn over(&mut self, over: Over, args: &[&Parsed]) -> Result<Node, Fault> {
        match args {
            [window] => Ok(Node::Over(over, self.window(window)?, None)),
            [quantile, window] if over == Over::Quantile => {
                let quantile = self.scalar(quantile)?;
                Ok(Node::Over(over, self.window(window)?, Some(quantile)))
            }
            [window, after] => {
                let window = self.window(window)?;
                Ok(Node::Over(over, window, Some(self.scalar(after)?)))
            }
            _ => Err(self.fault("it has other arguments")),
        }
    }

    fn label_replace(&mut self, of: &Parsed, texts: [&Parsed; 4]) -> Result<Node, Fault> {
        let of = self.vector(of)?;
        let [into, with, from, pattern] = texts.map(|text| self.text(text));
        let (into, with, from, pattern) = (into?, with?, from?, pattern?);
        self.label_name(&into)?;
        let pattern = Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|_| self.fault(format!("{pattern} is no regular expression that can be used here")))?;
        Ok(Node::LabelReplace(of, Box::new(Replace { into, with, from, pattern })))
    }

    fn label_name(&self, name: &str) -> Result<(), Fault> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let named = name.bytes().all(good) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if named { Ok(()) } else { Err(self.fault(format!("{name:?} is no name of a label"))) }
    }
}

fn over(name: &str) -> Option<Over> {
    Some(match name {
        "rate" => Over::Rate,
        "increase" => Over::Increase,
        "delta" => Over::Delta,
        "irate" => Over::Irate,
        "idelta" => Over::Idelta,
        "deriv" => Over::Deriv,
        "predict_linear" => Over::PredictLinear,
        "changes" => Over::Changes,
        "resets" => Over::Resets,
        "present_over_time" => Over::Present,
        "avg_over_time" => Over::Avg,
        "min_over_time" => Over::Min,
        "max_over_time" => Over::Max,
        "sum_over_time" => Over::Sum,
        "count_over_time" => Over::Count,
        "last_over_time" => Over::Last,
        "stddev_over_time" => Over::Stddev,
        "stdvar_over_time" => Over::Stdvar,
        "quantile_over_time" => Over::Quantile,
        _ => return None,
    })
}

fn map(name: &str) -> Option<Map> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sgn" => |v| {
            if v < 0.0 {
                -1.0
            } else if v > 0.0 {
                1.0
            } else {
                v
            }
        },
        "acos" => f64::acos,
        "acosh" => f64::acosh,
        "asin" => f64::asin,
        "asinh" => f64::asinh,
        "atan" => f64::atan,
        "atanh" => f64::atanh,
        "cos" => f64::cos,
        "cosh" => f64::cosh,
        "sin" => f64::sin,
        "sinh" => f64::sinh,
        "tan" => f64::tan,
        "tanh" => f64::tanh,
        "deg" => |v| v * 180.0 / std::f64::consts::PI,
        "rad" => |v| v * std::f64::consts::PI / 180.0,
        _ => return None,
    })
}

fn calendar(name: &str) -> Option<Calendar> {
    Some(match name {
        "minute" => Calendar::Minute,
        "hour" => Calendar::Hour,
        "day_of_week" => Calendar::DayOfWeek,
        "day_of_month" => Calendar::DayOfMonth,
        "day_of_year" => Calendar::DayOfYear,
        "days_in_month" => Calendar::DaysInMonth,
        "month" => Calendar::Month,
        "year" => Calendar::Year,
        _ => return None,
    })
}
