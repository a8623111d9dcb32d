//! The mistakes in a request's fields, and their messages.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};
use serde_json::{Map, Value};

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    /// Counted from 0.
    Entry(usize),
}

/// Where a value is, from the whole body inwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(pub(super) Vec<Step>);

impl Place {
    /// The place of a field of the object here.
    pub(super) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.to_owned()))
    }

    pub(super) fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The value at this place of `whole`.
    pub(super) fn of<'a>(&self, whole: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(whole, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Entry(index) => value.get(index),
        })
    }

    /// The place inside the innermost list entry, and that entry's place.
    fn split(&self) -> (&[Step], Option<(usize, Self)>) {
        match self.0.iter().rposition(|step| matches!(step, Step::Entry(_))) {
            Some(at) => match self.0[at] {
                Step::Entry(index) => (&self.0[at + 1..], Some((index, Self(self.0[..at].to_vec())))),
                Step::Field(_) => (&self.0, None),
            },
            None => (&self.0, None),
        }
    }

    /// The innermost list entry that this is in.
    pub(super) fn entry(&self) -> Option<(usize, Self)> {
        self.split().1
    }

    /// The names of the fields inside the innermost entry, with dots.
    fn dotted(&self) -> String {
        let names = self.split().0.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Entry(_) => None,
        });
        names.collect::<Vec<_>>().join(".")
    }

    /// Which entry this is in, with a preposition; empty where it is in none.
    fn within(&self, preposition: &str) -> String {
        match self.split().1 {
            None => String::new(),
            Some((index, list)) if list.0.is_empty() => format!("{preposition}entry {}", index + 1),
            Some((index, list)) => format!("{preposition}entry {} of {list}", index + 1),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.is_empty(), self.dotted()) {
            (true, _) => f.write_str("the body"),
            (_, names) if names.is_empty() => f.write_str(&self.within("")),
            (_, names) => write!(f, "{names}{}", self.within(" in ")),
        }
    }
}

/// The kind of mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The field is not there.
    Missing,
    /// The rest of a sentence that starts with the place.
    Rule(String),
}

/// A mistake in a request's fields.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) what: What,
    /// Whether the place is final: deeper values know theirs better than those around them.
    pub(super) placed: bool,
    /// Whether the mistake is inside the object at the place, in a field whose name was lost.
    pub(super) buffered: bool,
}

impl Problem {
    fn new(what: What) -> Self {
        Self { place: Place::default(), what, placed: false, buffered: false }
    }

    /// A value that must be something else.
    pub(super) fn must_be(what: &str) -> Self {
        Self::new(What::Rule(format!("must be {what}")))
    }

    /// At this place, unless a deeper one is known.
    pub(super) fn at(mut self, place: impl FnOnce() -> Place) -> Self {
        if !self.placed {
            let inside = std::mem::take(&mut self.place);
            self.place = place();
            self.place.0.extend(inside.0);
            self.placed = true;
        }
        self
    }

    /// The same, of an object whose fields were buffered before they were read.
    pub(super) fn inside(mut self, place: impl FnOnce() -> Place) -> Self {
        self.buffered |= !self.placed;
        self.at(place)
    }

    /// The sentence.
    pub(super) fn words(&self) -> String {
        match &self.what {
            What::Missing => missing(std::slice::from_ref(&self.place)),
            What::Rule(rule) => format!("{} {rule}", self.place),
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    /// The rest of a sentence that starts with the field.
    fn custom<T: Display>(rule: T) -> Self {
        Self::new(What::Rule(rule.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::must_be(&plain(expected))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::must_be(&plain(expected))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::must_be(&plain(expected))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::must_be(&listed(known, "or"))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Rule(format!("may have only {}", listed(known, "and"))))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { place: Place::default().field(field), ..Self::new(What::Missing) }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { place: Place::default().field(field), ..Self::new(What::Rule("is there twice".into())) }
    }
}

/// The expected value, without the names of Rust's types.
pub(super) fn plain(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    match words.as_str() {
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object".into(),
        "unit" => "null".into(),
        "f32" | "f64" => "a number".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        _ if words.starts_with("struct ") => "an object".into(),
        _ => words,
    }
}

/// The sentence about fields that are missing from one object, and where they are nested, what to send.
pub(super) fn missing(places: &[Place]) -> String {
    // For a missing object, the message names the fields that it must have.
    let told = places.iter().filter(|outer| {
        let inside = |inner: &&Place| inner.0.len() > outer.0.len() && inner.0.starts_with(&outer.0);
        !places.iter().any(|inner| inside(&inner))
    });
    let told: Vec<_> = told.collect();
    let names: Vec<_> = told.iter().map(|place| place.dotted()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let verb = if told.len() == 1 { "is" } else { "are" };
    let entry = told.first().map(|place| place.within(" in ")).unwrap_or_default();
    let sentence = format!("{} {verb} missing{entry}", listed(&names, "and"));
    if entry.is_empty() && told.iter().any(|place| place.0.len() > 1) {
        return format!("{sentence}; send {}", skeleton(&told));
    }
    sentence
}

/// A JSON object with the fields at these places.
fn skeleton(places: &[&Place]) -> String {
    let mut whole = Map::new();
    for place in places {
        put(&mut whole, &place.0);
    }
    Value::Object(whole).to_string().replace("null", "…")
}

fn put(object: &mut Map<String, Value>, steps: &[Step]) {
    let [Step::Field(name), inside @ ..] = steps else { return };
    let slot = object.entry(name).or_insert(Value::Null);
    if !inside.is_empty() {
        if slot.is_null() {
            *slot = Value::Object(Map::new());
        }
        slot.as_object_mut().into_iter().for_each(|object| put(object, inside));
    }
}

/// Words with commas, and `last` before the last.
pub fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}
