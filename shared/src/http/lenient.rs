//! Fields that the APIs' documentation and clients write sometimes as strings, sometimes as numbers.

use serde::{Deserialize, Deserializer};

use crate::domain::codes::Typed;

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Whole(i64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
        }
    }

    fn into_code(self) -> Typed {
        match self {
            Self::Text(text) => Typed::Text(text),
            Self::Whole(number) => Typed::Number(number),
        }
    }
}

/// A string, or a whole number as its digits.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Scalar::deserialize(deserializer).map(Scalar::into_text)
}

/// The same, but null counts as empty; for fields that `serde(default)` allows to be missing.
pub fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(optional_text(deserializer)?.unwrap_or_default())
}

/// The same, but the field may be missing or null.
pub fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.map(Scalar::into_text))
}

/// A code: a string unchanged, or a whole number, which has lost its leading zeros.
pub fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Typed, D::Error> {
    Scalar::deserialize(deserializer).map(Scalar::into_code)
}

/// The same, but the field may be missing or null.
pub fn optional_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Typed>, D::Error> {
    Ok(Option::<Scalar>::deserialize(deserializer)?.map(Scalar::into_code))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Several {
    List(Vec<Scalar>),
    One(Scalar),
}

/// A list of strings: an array, or one string as in forms and query strings, which contains a JSON array or the strings
/// separated by commas.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let several = match Several::deserialize(deserializer)? {
        Several::One(Scalar::Text(text)) if text.trim_start().starts_with('[') => {
            serde_json::from_str(&text).map_err(serde::de::Error::custom)?
        }
        Several::One(one) => {
            let text = one.into_text();
            return Ok(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect());
        }
        Several::List(list) => list,
    };
    Ok(several.into_iter().map(Scalar::into_text).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn a_list_is_an_array_or_one_string() {
        let list = |value: Value| super::list(value);
        for (value, expected) in [
            (json!(["a", "b"]), vec!["a", "b"]),
            (json!(["a", 12]), vec!["a", "12"]),
            (json!([]), vec![]),
            (json!("a, b,,"), vec!["a", "b"]),
            (json!("a"), vec!["a"]),
            (json!(12), vec!["12"]),
            (json!(r#" ["a", 12]"#), vec!["a", "12"]),
            (json!(""), vec![]),
            (json!("[]"), vec![]),
        ] {
            assert_eq!(list(value.clone()).unwrap(), expected, "{value}");
        }
        for bad in [json!(null), json!({}), json!([["a"]]), json!([null]), json!("[a]"), json!("[["), json!(1.5)] {
            assert!(list(bad.clone()).is_err(), "{bad}");
        }
    }
}
