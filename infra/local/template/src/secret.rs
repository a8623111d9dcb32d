//! Secrets, and generating one the way Secrets Manager does.
//!
//! Source: the `CloudFormation` template reference, `GenerateSecretString`.

use serde_json::{Map, Value};

use crate::{Error, shape};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A Secrets Manager secret that the template declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The secret's name.
    pub name: String,
    /// The secret's ARN, which is also what `Ref` gives.
    pub arn: String,
    /// Its resolved properties.
    pub properties: Value,
}

impl Secret {
    /// The first value of the secret string: the one written in the template, else one made by
    /// the rules of `GenerateSecretString`. `fill` fills a buffer with random bytes.
    pub fn generate(&self, mut fill: impl FnMut(&mut [u8])) -> Result<String, Error> {
        let place = format!("Resources.{}.Properties", self.logical_id);
        if let Some(written) = self.properties.get("SecretString") {
            return shape::text(written, &place);
        }
        let place = format!("{place}.GenerateSecretString");
        let empty = Map::new();
        let rules = shape::object(self.properties.get("GenerateSecretString"), &place)?;
        let rules = rules.unwrap_or(&empty);
        let password = Password::read(rules, &place)?.make(&mut fill, &place)?;
        let Some(key) = rules.get("GenerateStringKey") else {
            return Ok(password);
        };
        let template = match rules.get("SecretStringTemplate") {
            Some(template) => shape::text(template, &place)?,
            None => "{}".to_owned(),
        };
        let mut object: Map<String, Value> = serde_json::from_str(&template)
            .map_err(|_| Error::new(&place, "SecretStringTemplate is not a JSON object"))?;
        object.insert(shape::text(key, &place)?, Value::String(password));
        Ok(Value::Object(object).to_string())
    }
}

/// What a generated password is made of.
struct Password {
    length: usize,
    classes: Vec<Vec<char>>,
    each_class: bool,
}

impl Password {
    fn read(rules: &Map<String, Value>, place: &str) -> Result<Self, Error> {
        let flag = |key: &str, default: bool| match rules.get(key) {
            Some(value) => shape::boolean(value, place),
            None => Ok(default),
        };
        let excluded = match rules.get("ExcludeCharacters") {
            Some(value) => shape::text(value, place)?,
            None => String::new(),
        };
        let length = match rules.get("PasswordLength") {
            Some(value) => shape::number(value, place)? as usize,
            None => 32,
        };
        let mut classes = Vec::new();
        for (exclude, characters) in [
            ("ExcludeLowercase", LOWER),
            ("ExcludeUppercase", UPPER),
            ("ExcludeNumbers", DIGITS),
            ("ExcludePunctuation", PUNCTUATION),
        ] {
            if !flag(exclude, false)? {
                let kept = characters.chars().filter(|one| !excluded.contains(*one));
                classes.push(kept.collect::<Vec<_>>());
            }
        }
        if flag("IncludeSpace", false)? {
            classes.push(vec![' ']);
        }
        classes.retain(|class| !class.is_empty());
        Ok(Self { length, classes, each_class: flag("RequireEachIncludedType", true)? })
    }

    /// Draws passwords until one has every class it needs, so that all of those are equally
    /// likely. With room for every class this ends after a few draws.
    fn make(&self, fill: &mut impl FnMut(&mut [u8]), place: &str) -> Result<String, Error> {
        let all: Vec<char> = self.classes.concat();
        let classes = if self.each_class { self.classes.len() } else { 0 };
        if all.is_empty() || self.length < classes.max(1) || self.length > 4096 {
            return Err(Error::new(place, "no password fits these rules"));
        }
        loop {
            let password: Vec<char> = (0..self.length).map(|_| all[below(all.len(), fill)]).collect();
            let has = |class: &Vec<char>| class.iter().any(|one| password.contains(one));
            if !self.each_class || self.classes.iter().all(has) {
                return Ok(password.into_iter().collect());
            }
        }
    }
}

/// A number below `bound` (at most 256), each equally likely: bytes past the last whole multiple
/// are drawn again.
fn below(bound: usize, fill: &mut impl FnMut(&mut [u8])) -> usize {
    let limit = 256 - 256 % bound;
    loop {
        let mut byte = [0];
        fill(&mut byte);
        let drawn = usize::from(byte[0]);
        if drawn < limit {
            return drawn % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(rules: &Value) -> Secret {
        Secret {
            logical_id: "Signing".into(),
            name: "signing".into(),
            arn: "arn".into(),
            properties: json!({ "GenerateSecretString": rules }),
        }
    }

    /// A deterministic source of bytes that visits all values.
    fn bytes() -> impl FnMut(&mut [u8]) {
        let mut state = 1_u32;
        move |buffer| {
            for byte in buffer {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = state.to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn a_generated_key_goes_into_the_template() {
        let rules = json!({
            "SecretStringTemplate": "{\"kid\":\"1\"}",
            "GenerateStringKey": "key",
            "PasswordLength": 64,
            "ExcludePunctuation": true,
            "ExcludeCharacters": "abc",
        });
        let made = secret(&rules).generate(bytes()).unwrap();
        let made: Value = serde_json::from_str(&made).unwrap();
        assert_eq!(made["kid"], "1");
        let key = made["key"].as_str().unwrap();
        assert_eq!(key.len(), 64);
        assert!(key.chars().all(|one| one.is_ascii_alphanumeric()));
        assert!(!key.contains(['a', 'b', 'c']));
    }

    #[test]
    fn without_a_key_the_password_is_the_secret_and_has_every_class() {
        let made = secret(&json!({"PasswordLength": 4})).generate(bytes()).unwrap();
        assert_eq!(made.chars().count(), 4);
        for class in [LOWER, UPPER, DIGITS, PUNCTUATION] {
            assert!(made.contains(|one| class.contains(one)), "{made}");
        }
    }

    #[test]
    fn rules_that_no_password_fits_are_refused() {
        assert!(secret(&json!({"PasswordLength": 3})).generate(bytes()).is_err());
        let none = json!({
            "ExcludeLowercase": true, "ExcludeUppercase": true,
            "ExcludeNumbers": true, "ExcludePunctuation": "true",
        });
        assert!(secret(&none).generate(bytes()).is_err());
    }

    #[test]
    fn a_written_secret_is_taken_as_it_is() {
        let mut written = secret(&json!({}));
        written.properties = json!({"SecretString": "fixed"});
        assert_eq!(written.generate(bytes()).unwrap(), "fixed");
    }
}
