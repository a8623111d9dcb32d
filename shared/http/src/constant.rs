//! Schemas of fields that have one value, or one of a few. Generated clients use them to distinguish responses.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// A string that is always the same.
#[must_use]
pub fn text(value: &str, description: &str) -> Object {
    texts(&[value], description)
}

/// One of a few strings.
#[must_use]
pub fn texts(values: &[&str], description: &str) -> Object {
    let values = values.iter().copied();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).description(Some(description)).build()
}

/// One of a few numbers.
#[must_use]
pub fn numbers(values: &[u16], description: &str) -> Object {
    let values = values.iter().copied();
    ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some(values)).description(Some(description)).build()
}

/// A boolean that is always the same.
#[must_use]
pub fn flag(value: bool, description: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([value])).description(Some(description)).build()
}
