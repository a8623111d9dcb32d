//! A deserializer of JSON values that knows its place in the body.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};

use super::problem::{Place, Problem, Step, plain};

type Result<T> = std::result::Result<T, Problem>;

/// Places whose values are assumed to be present and correct, to find other mistakes.
#[derive(Debug, Default)]
pub(super) struct Assumed(pub(super) Vec<Place>);

/// The place of a value: a list on the stack, which costs nothing unless there is a mistake.
#[derive(Clone, Copy)]
enum At<'a> {
    Whole,
    Field(&'a At<'a>, &'a str),
    Entry(&'a At<'a>, usize),
}

impl At<'_> {
    fn place(&self) -> Place {
        match self {
            Self::Whole => Place::default(),
            Self::Field(above, name) => above.place().field(name),
            Self::Entry(above, index) => above.place().with(Step::Entry(*index)),
        }
    }
}

/// A value at its place.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// `None` where the place is assumed to be right.
    value: Option<&'a Value>,
    at: At<'a>,
    assumed: &'a Assumed,
}

impl<'a> Given<'a> {
    /// The whole body.
    pub(super) const fn whole(value: &'a Value, assumed: &'a Assumed) -> Self {
        Self { value: Some(value), at: At::Whole, assumed }
    }

    fn place(&self) -> Place {
        self.at.place()
    }

    fn must_be(&self, what: &str) -> Problem {
        Problem::must_be(what).at(|| self.place())
    }

    fn located<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|problem| problem.at(|| self.place()))
    }

    /// The value of a field of the object here.
    fn value_of(&self, name: &str, value: &'a Value) -> Option<&'a Value> {
        let assumed = !self.assumed.0.is_empty() && self.assumed.0.contains(&self.place().field(name));
        Some(value).filter(|_| !assumed)
    }

    /// The names of fields that the object here lacks and that are assumed to be there.
    fn assumed_fields(&self, there: Option<&Map<String, Value>>) -> Vec<&'a str> {
        if self.assumed.0.is_empty() {
            return Vec::new();
        }
        let here = self.place();
        let fields = self.assumed.0.iter().filter_map(|place| match place.0.split_last()? {
            (Step::Field(name), above) if *above == *here.0 => Some(name.as_str()),
            _ => None,
        });
        fields.filter(|name| there.is_none_or(|fields| !fields.contains_key(*name))).collect()
    }

    fn fields<'de, V: Visitor<'de>>(self, there: Option<&'a Map<String, Value>>, visitor: V) -> Result<V::Value> {
        let assumed = self.assumed_fields(there);
        visitor.visit_map(Fields { object: self, left: there.map(Map::iter), assumed, current: None })
    }

    fn entries<'de, V: Visitor<'de>>(self, entries: &'a [Value], visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Entries { list: self, values: entries, next: 0 })
    }

    fn object<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            None => self.fields(None, visitor),
            Some(Value::Object(fields)) => self.fields(Some(fields), visitor),
            Some(_) => {
                let what = plain(&visitor);
                let whole = matches!(self.at, At::Whole) && what == "an object";
                Err(self.must_be(if whole { "a JSON object" } else { &what }))
            }
        }
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            None => visitor.visit_str(""),
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::String(text)) => visitor.visit_str(text),
            Some(Value::Array(entries)) => self.entries(entries, visitor),
            Some(Value::Object(fields)) => self.fields(Some(fields), visitor),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(whole), _, _) => visitor.visit_u64(whole),
                (_, Some(whole), _) => visitor.visit_i64(whole),
                (_, _, float) => visitor.visit_f64(float.unwrap_or(f64::NAN)),
            },
        }
    }
}

/// A value that is not assumed is read by `any`. Its visitor refuses values that it cannot use.
macro_rules! scalars {
    ($($method:ident, $visit:ident($($assumed:expr)?);)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.value {
                None => visitor.$visit($($assumed)?),
                Some(_) => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Given<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.located(self.any(visitor))
    }

    scalars! {
        deserialize_bool, visit_bool(false);
        deserialize_u8, visit_u64(0);
        deserialize_u16, visit_u64(0);
        deserialize_u32, visit_u64(0);
        deserialize_u64, visit_u64(0);
        deserialize_i8, visit_u64(0);
        deserialize_i16, visit_u64(0);
        deserialize_i32, visit_u64(0);
        deserialize_i64, visit_u64(0);
        deserialize_f32, visit_f64(0.0);
        deserialize_f64, visit_f64(0.0);
        deserialize_unit, visit_unit();
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => self.located(visitor.visit_some(self)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.located(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            None => self.located(self.entries(&[], visitor)),
            Some(Value::Array(entries)) => self.located(self.entries(entries, visitor)),
            Some(_) => Err(self.must_be(&plain(&visitor))),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.located(self.object(visitor))
    }

    /// Flattened fields are read from a map, too.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.object(visitor).map_err(|problem| problem.inside(|| self.place()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.value {
            Some(Value::String(name)) => {
                let name: StrDeserializer<'_, Problem> = name.as_str().into_deserializer();
                self.located(visitor.visit_enum(name))
            }
            _ => Err(self.must_be(&plain(&visitor))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit_struct tuple tuple_struct identifier
    }
}

/// The fields of an object, and after them those that are assumed.
struct Fields<'a> {
    object: Given<'a>,
    left: Option<map::Iter<'a>>,
    assumed: Vec<&'a str>,
    current: Option<(&'a str, Option<&'a Value>)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.current = match self.left.as_mut().and_then(Iterator::next) {
            Some((name, value)) => Some((name, self.object.value_of(name, value))),
            None => self.assumed.pop().map(|name| (name, None)),
        };
        let Some((name, _)) = self.current else { return Ok(None) };
        let name: StrDeserializer<'_, Problem> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let (name, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Given { value, at: At::Field(&self.object.at, name), assumed: self.object.assumed })
    }
}

/// The entries of a list.
struct Entries<'a> {
    list: Given<'a>,
    values: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some(value) = self.values.get(self.next) else { return Ok(None) };
        let at = At::Entry(&self.list.at, self.next);
        self.next += 1;
        seed.deserialize(Given { value: Some(value), at, assumed: self.list.assumed }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len() - self.next)
    }
}
