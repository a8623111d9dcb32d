//! Fields that the APIs' documentation and clients write sometimes as strings, sometimes as numbers.
//!
//! The `expecting` text of the visitors is the end of a sentence that starts with the field's name and "must be".

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use domain::codes::Typed;

/// A string or a whole number.
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

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or_else(|_| Scalar::Text(number.to_string()), Scalar::Whole))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
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

/// A boolean that may also be written as the word, for clients that write everything as a string. The field may be
/// missing or null.
pub fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    struct Flag(bool);

    impl<'de> Deserialize<'de> for Flag {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(FlagVisitor).map(Self)
        }
    }

    struct FlagVisitor;

    impl Visitor<'_> for FlagVisitor {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false")
        }

        fn visit_bool<E: de::Error>(self, flag: bool) -> Result<bool, E> {
            Ok(flag)
        }

        fn visit_str<E: de::Error>(self, word: &str) -> Result<bool, E> {
            match word {
                word if word.eq_ignore_ascii_case("true") => Ok(true),
                word if word.eq_ignore_ascii_case("false") => Ok(false),
                word => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
            }
        }
    }

    Ok(Option::<Flag>::deserialize(deserializer)?.map(|Flag(flag)| flag))
}

/// A list of strings: an array, or one string as in forms and query strings, which contains a JSON array or the strings
/// separated by commas.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct ListVisitor;

    impl<'de> Visitor<'de> for ListVisitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of strings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<String>, A::Error> {
            let mut list = Vec::new();
            while let Some(scalar) = entries.next_element::<Scalar>()? {
                list.push(scalar.into_text());
            }
            Ok(list)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            if text.trim_start().starts_with('[') {
                let list: Result<Vec<Scalar>, _> = serde_json::from_str(text);
                let list = list.map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
                return Ok(list.into_iter().map(Scalar::into_text).collect());
            }
            Ok(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
    }

    deserializer.deserialize_any(ListVisitor)
}

/// A list of `T`, with this message if the value is not a list.
pub fn list_of<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    words: &'static str,
) -> Result<Vec<T>, D::Error> {
    struct ListVisitor<T>(&'static str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::with_capacity(entries.size_hint().unwrap_or_default());
            while let Some(entry) = entries.next_element()? {
                list.push(entry);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(ListVisitor(words, PhantomData))
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

    #[test]
    fn a_flag_is_a_truth_value_or_its_word() {
        let flag = |value: Value| super::optional_flag(value);
        for (value, expected) in
            [(json!(true), Some(true)), (json!("FALSE"), Some(false)), (json!("true"), Some(true)), (json!(null), None)]
        {
            assert_eq!(flag(value.clone()).unwrap(), expected, "{value}");
        }
        for bad in [json!(1), json!("yes"), json!(""), json!({})] {
            assert!(flag(bad.clone()).is_err(), "{bad}");
        }
    }
}
