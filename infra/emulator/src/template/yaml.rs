//! Converts YAML to JSON, and `CloudFormation`'s short tags to their long form.
//!
//! `!Sub x` and `Fn::Sub: x` mean the same, so other modules see only the long form.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value, json};

use super::error::Error;

/// Parses one YAML document.
pub(super) fn parse(text: &str) -> Result<Value, Error> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| Error::new("template", format!("not valid YAML: {error}")))?;
    match documents.as_slice() {
        [document] => convert(document, "template"),
        _ => Err(Error::new("template", format!("expected one YAML document, found {}", documents.len()))),
    }
}

fn convert(node: &Yaml<'_>, place: &str) -> Result<Value, Error> {
    match node {
        Yaml::Value(scalar) => convert_scalar(scalar, place),
        Yaml::Sequence(items) => {
            items.iter().enumerate().map(|(index, item)| convert(item, &format!("{place}[{index}]"))).collect()
        }
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key_text(key, place)?;
                let value = convert(value, &format!("{place}.{key}"))?;
                object.insert(key, value);
            }
            Ok(Value::Object(object))
        }
        Yaml::Tagged(tag, inner) => Ok(expand(&tag.suffix, convert(inner, place)?)),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            Err(Error::new(place, "not a value that can be read"))
        }
    }
}

fn convert_scalar(scalar: &Scalar<'_>, place: &str) -> Result<Value, Error> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(boolean) => json!(boolean),
        Scalar::Integer(integer) => json!(integer),
        Scalar::FloatingPoint(float) => Number::from_f64(float.into_inner())
            .map(Value::Number)
            .ok_or_else(|| Error::new(place, "not a finite number"))?,
        Scalar::String(text) => json!(text),
    })
}

fn key_text(key: &Yaml<'_>, place: &str) -> Result<String, Error> {
    match key {
        Yaml::Value(Scalar::String(text)) => Ok(text.to_string()),
        Yaml::Value(Scalar::Integer(integer)) => Ok(integer.to_string()),
        Yaml::Value(Scalar::Boolean(boolean)) => Ok(boolean.to_string()),
        _ => Err(Error::new(place, "a key is not a plain word")),
    }
}

/// The long form of a short tag. `!GetAtt A.B.C` is split at the first dot: an attribute may contain dots
/// (`Outputs.Name` of a nested stack), a logical id may not.
fn expand(tag: &str, value: Value) -> Value {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        other => format!("Fn::{other}"),
    };
    let value = match (tag, &value) {
        ("GetAtt", Value::String(text)) => match text.split_once('.') {
            Some((resource, attribute)) => json!([resource, attribute]),
            None => value,
        },
        _ => value,
    };
    let mut object = Map::new();
    object.insert(name, value);
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_their_long_form_wherever_they_stand() {
        let text = "
a: !Sub '${X}-y'
b: [!Ref X, !GetAtt Table.Arn, !GetAtt Nested.Outputs.Name]
c: !If [Cond, !Join ['', [a, b]], !Ref AWS::NoValue]
d: !Condition Cond
e: !Sub
  - '${v}'
  - v: !Ref X
";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": {"Fn::Sub": "${X}-y"},
                "b": [
                    {"Ref": "X"},
                    {"Fn::GetAtt": ["Table", "Arn"]},
                    {"Fn::GetAtt": ["Nested", "Outputs.Name"]},
                ],
                "c": {"Fn::If": [
                    "Cond", {"Fn::Join": ["", ["a", "b"]]}, {"Ref": "AWS::NoValue"},
                ]},
                "d": {"Condition": "Cond"},
                "e": {"Fn::Sub": ["${v}", {"v": {"Ref": "X"}}]},
            })
        );
    }

    #[test]
    fn dates_stay_text_and_numbers_stay_numbers() {
        assert_eq!(
            parse("v: 2012-10-17\nn: 86\nf: 0.2\nb: true\nq: '86'\nz:").unwrap(),
            json!({"v": "2012-10-17", "n": 86, "f": 0.2, "b": true, "q": "86", "z": null})
        );
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        assert!(parse("a: 1\na: 2\n").is_err());
        assert!(parse("a: [1\n").is_err());
        assert!(parse("").is_err());
    }
}
