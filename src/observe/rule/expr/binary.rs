//! Operators between numbers, between a number and a vector, and what is to be done between two vectors.

use std::sync::Arc;

use super::eval::{Evaluation, one};
use super::join;
use super::sample::Vector;
use super::tree::{Binary, Operator};

impl Evaluation<'_> {
    /// An operator between two numbers.
    pub(super) fn scalars(&mut self, binary: &Binary, at: i64) -> Result<f64, Arc<str>> {
        let (left, right) = (self.scalar(&binary.left, at)?, self.scalar(&binary.right, at)?);
        Ok(match number(binary.operator, left, right) {
            Ok(value) => value,
            Err(holds) => truth(holds),
        })
    }

    /// An operator of which at least one side is a vector.
    pub(super) fn binary(&mut self, binary: &Binary, at: i64) -> Result<Vector, Arc<str>> {
        match (binary.left.is_scalar(), binary.right.is_scalar()) {
            (true, true) => Ok(one(self.scalars(binary, at)?)),
            (false, true) => {
                let vector = self.vector(&binary.left, at)?;
                let right = self.scalar(&binary.right, at)?;
                self.each(binary, vector, |value| (value, right))
            }
            (true, false) => {
                let left = self.scalar(&binary.left, at)?;
                let vector = self.vector(&binary.right, at)?;
                self.each(binary, vector, |value| (left, value))
            }
            (false, false) => {
                let left = self.vector(&binary.left, at)?;
                let right = self.vector(&binary.right, at)?;
                join::join(binary, left, right, self.store)
            }
        }
    }

    fn each(&self, binary: &Binary, mut vector: Vector, sides: impl Fn(f64) -> (f64, f64)) -> Result<Vector, Arc<str>> {
        vector.items.retain_mut(|item| {
            let (left, right) = sides(item.value);
            match number(binary.operator, left, right) {
                Ok(value) => item.value = value,
                Err(holds) if binary.bool => item.value = truth(holds),
                // The value of the vector is kept, on whichever side it stands.
                Err(holds) => return holds,
            }
            true
        });
        if drops_name(binary.operator) || binary.bool { vector.bare(self.store) } else { Ok(vector) }
    }
}

/// What an operator gives: a number, or whether it holds. Those on sets are none of numbers.
pub(super) fn number(operator: Operator, left: f64, right: f64) -> Result<f64, bool> {
    match operator {
        Operator::Add => Ok(left + right),
        Operator::Sub => Ok(left - right),
        Operator::Mul => Ok(left * right),
        Operator::Div => Ok(left / right),
        Operator::Mod => Ok(left % right),
        Operator::Pow => Ok(left.powf(right)),
        Operator::Atan2 => Ok(left.atan2(right)),
        #[expect(clippy::float_cmp, reason = "the language's equality is that of the bits' meaning")]
        Operator::Equal => Err(left == right),
        #[expect(clippy::float_cmp, reason = "the language's equality is that of the bits' meaning")]
        Operator::NotEqual => Err(left != right),
        Operator::Greater => Err(left > right),
        Operator::Less => Err(left < right),
        Operator::GreaterEqual => Err(left >= right),
        Operator::LessEqual => Err(left <= right),
        Operator::And | Operator::Or | Operator::Unless => Err(false),
    }
}

pub(super) fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// A result that is a new figure has not the name of the old one. (`atan2` keeps it in Prometheus 2.42.)
pub(super) fn drops_name(operator: Operator) -> bool {
    matches!(operator, Operator::Add | Operator::Sub | Operator::Mul | Operator::Div | Operator::Mod | Operator::Pow)
}
