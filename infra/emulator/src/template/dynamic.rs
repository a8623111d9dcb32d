//! Dynamic references: `{{resolve:secretsmanager:…}}` inside a value.
//!
//! Source: the `CloudFormation` user guide, "Get a secret or secret value from Secrets Manager".

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::Error;
use super::shape;

const OPEN: &str = "{{resolve:";

/// Replaces every dynamic reference in `text` by its value in `secrets`.
pub(super) fn expand(text: &str, secrets: &BTreeMap<String, String>, place: &str) -> Result<String, Error> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (reference, after) =
            after.split_once("}}").ok_or_else(|| Error::new(place, "a dynamic reference has no }}"))?;
        result.push_str(before);
        result.push_str(&look_up(reference, secrets, place)?);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

fn look_up(reference: &str, secrets: &BTreeMap<String, String>, place: &str) -> Result<String, Error> {
    let Some(("secretsmanager", reference)) = reference.split_once(':') else {
        let reason = format!("only secretsmanager can be resolved, not `{reference}`");
        return Err(Error::new(place, reason));
    };
    let (id, options) = split_id(reference);
    let mut options = options.split(':');
    if !matches!(options.next(), Some("" | "SecretString")) {
        return Err(Error::new(place, "only SecretString can be resolved"));
    }
    let key = options.next().filter(|key| !key.is_empty());
    if options.next().is_some_and(|label| !label.is_empty()) {
        return Err(Error::new(place, "a version of a secret is given by its id, not by a label"));
    }
    let id = match options.next() {
        None | Some("") => id.to_owned(),
        Some(version) => format!("{id}:{version}"),
    };
    let secret = secrets.get(&id).ok_or_else(|| Error::new(place, format!("no value for the secret `{id}`")))?;
    let Some(key) = key else {
        return Ok(secret.clone());
    };
    let parsed: Option<Value> = serde_json::from_str(secret).ok();
    let value = parsed.as_ref().and_then(|parsed| parsed.get(key));
    let value = value.ok_or_else(|| Error::new(place, format!("the secret `{id}` has no key `{key}`")))?;
    shape::text(value, place)
}

/// The secret's name or ARN, and the rest. An ARN itself contains six colons.
fn split_id(reference: &str) -> (&str, &str) {
    let colons = if reference.starts_with("arn:") { 6 } else { 0 };
    match reference.match_indices(':').nth(colons) {
        Some((at, _)) => (&reference[..at], &reference[at + 1..]),
        None => (reference, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> BTreeMap<String, String> {
        let arn = "arn:aws:secretsmanager:us-east-1:1:secret:signing-AbCdEf";
        BTreeMap::from([
            ("signing".into(), r#"{"key":"k1","n":7}"#.into()),
            (arn.into(), r#"{"key":"k2"}"#.into()),
            ("signing:0b1f".into(), r#"{"key":"k0"}"#.into()),
        ])
    }

    #[test]
    fn a_secret_is_found_by_name_or_arn_whole_or_by_key() {
        let expand = |text| expand(text, &secrets(), "x").unwrap();
        assert_eq!(expand("plain"), "plain");
        assert_eq!(
            expand(
                "a-{{resolve:secretsmanager:signing:SecretString:key}}-{{resolve:secretsmanager:signing:SecretString:n}}"
            ),
            "a-k1-7"
        );
        assert_eq!(
            expand(
                "{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:signing-AbCdEf:SecretString:key::}}"
            ),
            "k2"
        );
        assert_eq!(expand("{{resolve:secretsmanager:signing}}"), r#"{"key":"k1","n":7}"#);
        assert_eq!(expand("{{resolve:secretsmanager:signing:SecretString:key::0b1f}}"), "k0");
    }

    #[test]
    fn what_cannot_be_resolved_is_an_error_with_the_place() {
        for text in [
            "{{resolve:secretsmanager:other}}",
            "{{resolve:secretsmanager:signing:SecretString:key:AWSPREVIOUS}}",
            "{{resolve:secretsmanager:signing:SecretString:key::0b20}}",
            "{{resolve:secretsmanager:signing:SecretString:nope}}",
            "{{resolve:secretsmanager:signing:SecretBinary}}",
            "{{resolve:ssm:name}}",
            "{{resolve:secretsmanager:signing",
        ] {
            assert_eq!(expand(text, &secrets(), "here").unwrap_err().place(), "here");
        }
    }
}
