//! The words for what cannot be read.

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::lenient;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Register {
    #[serde(deserialize_with = "lenient::text")]
    code: String,
    user: User,
    device: Option<Device>,
    #[serde(default, deserialize_with = "lenient::list")]
    ids: Vec<String>,
    #[serde(default)]
    open: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only read")]
struct User {
    phone_number: String,
    password: String,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Device {
    token: String,
    platform: u8,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Flat {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(flatten)]
    details: Details,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Details {
    #[serde(default, deserialize_with = "lenient::optional_text")]
    age: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    sex: Option<String>,
    city: String,
}

fn words<T: DeserializeOwned + std::fmt::Debug>(given: &Value) -> String {
    match read::<T>(given) {
        Err(Error::Malformed(words)) => words,
        other => panic!("{given} gave {other:?}"),
    }
}

#[test]
fn all_missing_fields_are_named_at_once_with_the_shape_to_send() {
    let nested = r#"; send {"user":{"password":…,"phoneNumber":…}}"#;
    for (given, expected) in [
        (json!({ "user": { "phoneNumber": "1", "password": "2" } }), "code is missing".to_owned()),
        (json!({ "code": 1 }), format!("user.phoneNumber and user.password are missing{nested}")),
        (json!({ "code": 1, "user": {} }), format!("user.phoneNumber and user.password are missing{nested}")),
        (
            json!({ "phoneNumber": "1", "password": "2" }),
            r#"code, user.phoneNumber and user.password are missing; send {"code":…,"user":{"password":…,"phoneNumber":…}}"#
                .to_owned(),
        ),
        (
            json!({ "code": 1, "user": { "phoneNumber": "1", "password": "2" }, "device": { "platform": 1 } }),
            r#"device.token is missing; send {"device":{"token":…}}"#.to_owned(),
        ),
    ] {
        assert_eq!(words::<Register>(&given), expected, "{given}");
    }
    assert_eq!(words::<Vec<User>>(&json!([{}, {}])), "phoneNumber and password are missing in entry 1");
    assert_eq!(words::<Flat>(&json!({})), "name and city are missing");
}

#[test]
fn a_wrong_type_is_told_by_its_field_and_what_it_must_be() {
    let right = json!({ "code": 1, "user": { "phoneNumber": "1", "password": "2" } });
    assert!(read::<Register>(&right).is_ok());
    for (field, value, expected) in [
        ("code", json!(null), "code must be a string or a whole number"),
        ("code", json!(1.5), "code must be a string or a whole number"),
        ("code", json!({ "a": 1 }), "code must be a string or a whole number"),
        ("code", json!(["1"]), "code must be a string or a whole number"),
        ("user", json!("Tom"), "user must be an object"),
        ("user", json!([]), "user must be an object"),
        ("user", json!({ "phoneNumber": 5, "password": "2" }), "user.phoneNumber must be a string"),
        ("device", json!({ "token": "a", "platform": "b" }), "device.platform must be a whole number"),
        ("device", json!({ "token": "a", "platform": 300 }), "device.platform must be a whole number"),
        ("ids", json!(["a", {}]), "entry 2 of ids must be a string or a whole number"),
        ("ids", json!(true), "ids must be a list of strings"),
        ("ids", json!("[[]]"), "ids must be a list of strings"),
        ("open", json!("yes"), "open must be true or false"),
    ] {
        let mut given = right.clone();
        given[field] = value;
        assert_eq!(words::<Register>(&given), expected, "{given}");
    }
    for given in [json!([]), json!("text"), json!(null), json!(1)] {
        assert_eq!(words::<Register>(&given), "the body must be a JSON object", "{given}");
    }
    assert_eq!(words::<Vec<User>>(&json!({})), "the body must be a list");
    assert_eq!(words::<Vec<User>>(&json!(["a"])), "entry 1 must be an object");
    assert_eq!(
        words::<Vec<User>>(&json!([{ "phoneNumber": 1, "password": "" }])),
        "phoneNumber in entry 1 must be a string"
    );
}

#[test]
fn a_wrong_field_of_a_flattened_part_is_found() {
    for (given, expected) in [
        (json!({ "name": "a", "age": {}, "sex": 1, "city": "b" }), "age must be a string or a whole number"),
        (json!({ "name": "a", "age": 1, "sex": [], "city": "b" }), "sex must be a string or a whole number"),
        (json!({ "name": "a", "city": 5 }), "city must be a string"),
        (json!({ "name": {}, "city": "b" }), "name must be a string or a whole number"),
    ] {
        assert_eq!(words::<Flat>(&given), expected, "{given}");
    }
}

#[test]
fn what_is_no_json_is_told_by_its_place() {
    let words = |body: &str| match json(body.as_bytes()) {
        Err(Error::Malformed(words)) => words,
        other => panic!("{body} gave {other:?}"),
    };
    assert_eq!(words(""), "the body is not valid JSON: it ends too early");
    assert_eq!(words(r#"{"a": "#), "the body is not valid JSON: it ends too early");
    assert_eq!(words("{\n  'a': 1}"), "the body is not valid JSON: see line 2, character 3");
    assert!(words(&"[".repeat(200)).starts_with("the body is not valid JSON"));
}
