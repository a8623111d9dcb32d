//! Reads JSON and form fields into request types, with our own error messages.
//!
//! The messages of `serde` contain names of Rust types and stop at the first mistake. Ours have the field's name from
//! the request and the expected value, and list all missing fields.

mod problem;
mod value;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use self::problem::listed;
use self::problem::{Problem, What};
use self::value::{Assumed, Given};
use domain::{Error, Result};

/// The most mistakes that one error names.
const MOST: usize = 8;
/// An object with more fields than this is not searched for the field that is wrong.
const MOST_SEARCHED: usize = 64;

/// Parses a JSON body.
pub fn json(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| {
        Error::Malformed(if error.is_eof() {
            "the body is not valid JSON: it ends too early".into()
        } else {
            let (line, character) = (error.line(), error.column());
            format!("the body is not valid JSON: see line {line}, character {character}")
        })
    })
}

/// Reads a value into a wire type.
pub fn read<T: DeserializeOwned>(given: &Value) -> Result<T> {
    T::deserialize(Given::whole(given, &Assumed::default())).map_err(|first| explain::<T>(given, first))
}

/// The message for a value that could not be read: the first mistake, or all missing fields if one is missing.
fn explain<T: DeserializeOwned>(given: &Value, first: Problem) -> Error {
    let first = find_inside::<T>(given, first);
    if first.what != What::Missing {
        return Error::Malformed(first.words());
    }
    let mut assumed = Assumed::default();
    let mut missing = vec![first.place];
    while missing.len() < MOST {
        assumed.0.push(missing[missing.len() - 1].clone());
        match T::deserialize(Given::whole(given, &assumed)) {
            Err(Problem { place, what: What::Missing, .. })
                if place.entry() == missing[0].entry() && !missing.contains(&place) =>
            {
                missing.push(place);
            }
            _ => break,
        }
    }
    Error::Malformed(problem::missing(&missing))
}

/// Finds the field that is wrong, where `serde` lost its name: fields of a flattened part are buffered first. The field
/// is the one without which the mistake is another one.
fn find_inside<T: DeserializeOwned>(given: &Value, mut problem: Problem) -> Problem {
    if !problem.buffered || problem.what == What::Missing {
        return problem;
    }
    let Some(Value::Object(fields)) = problem.place.of(given) else { return problem };
    for name in fields.keys().take(MOST_SEARCHED) {
        let place = problem.place.field(name);
        let without = T::deserialize(Given::whole(given, &Assumed(vec![place.clone()])));
        if without.err().is_none_or(|other| (&other.place, &other.what) != (&problem.place, &problem.what)) {
            problem.place = place;
            break;
        }
    }
    problem
}

#[cfg(test)]
mod tests;
