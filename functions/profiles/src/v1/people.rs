//! Other users: which numbers of an address book have accounts, and public profiles.

use std::collections::BTreeSet;

use axum::extract::State;
use domain::phone::{Country, Phone};
use domain::uuid::Uuid;
use domain::{Error, Result as DomainResult};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{Fields, LIST_LIMIT, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(look_up_contacts)).routes(routes!(get_user))
}

fn example() -> Value {
    json!({
        "id": "00000000-000e-8001-8000-5d71a71403f0", "name": "Tom", "state": "at the sea",
        "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
    })
}

/// The public profile of a user. Fields without a value are absent.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Profile, example = example)]
struct Profile {
    /// The user's id, a UUID.
    id: String,
    /// The nickname.
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The state line.
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    /// The picture, an absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
}

/// The numbers of an address book.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::Contacts, example = json!({ "phones": ["+8613912345678", "139 1234 5679"], "country": "86" }))]
struct Contacts {
    /// Up to 5,000 numbers, in E.164 or as they are in the address book. A text that is not a number is ignored.
    phones: Vec<String>,
    /// The calling code of the user's country, such as `86`. Numbers that do not begin with `+` or an international prefix
    /// are numbers of this country. Without it, they are ignored.
    country: Option<String>,
}

/// A number with an account.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Contact, example = json!({ "phone": "+8613912345678", "user": example() }))]
struct Contact {
    /// The number as it was sent.
    phone: String,
    /// The user who signs in with it.
    user: Profile,
}

/// The numbers with an account.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::FoundContacts, example = json!({ "items": [{ "phone": "+8613912345678", "user": example() }] }))]
struct FoundContacts {
    /// The numbers with an account, in the order in which they were sent.
    items: Vec<Contact>,
}

/// Find which numbers of an address book have accounts.
///
/// Send up to 5,000 numbers in at most 512 KiB. An account can look up 20,000 numbers a day, over all APIs; a list of at
/// least 20 numbers that is sent again on the same day (UTC) is not counted again.
#[utoipa::path(
    post, path = "/v1/contacts/lookup", tag = "v1", operation_id = "v1_look_up_contacts", security(("v1_bearer" = [])),
    request_body = Contacts,
    responses(
        (status = 200, description = "The numbers with an account", body = FoundContacts),
        (status = 422, description = "There are too many numbers, or `country` is not a calling code", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "too_many",
            "detail": "at most 5000 numbers per call",
        })),
    ),
)]
async fn look_up_contacts(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    Fields(given): Fields<Contacts, LIST_LIMIT>,
) -> ApiResult<V1> {
    let most = state.lookup.policy.lookup_numbers_per_call;
    if given.phones.len() > most {
        return Err(Error::TooMany { most, what: "numbers per call" }.into());
    }
    let country = given.country.as_deref().map(calling_code).transpose()?;
    let phones: Vec<_> = given.phones.iter().map(|phone| parsed(country, phone)).collect();
    let asked: BTreeSet<_> = phones.iter().flatten().cloned().collect();
    let cards = state.lookup.find(caller, &asked).await?;
    let found = given.phones.into_iter().zip(phones).filter_map(|(phone, parsed)| {
        let card = cards.get(&parsed?)?;
        let (name, state_line) = (card.name.clone(), card.state.clone());
        let avatar = absolute(&state, &origin, &card.avatar);
        Some(Contact {
            phone,
            user: Profile { id: Uuid::of_user(card.id).to_string(), name, state: state_line, avatar },
        })
    });
    Ok(ok(FoundContacts { items: found.collect() }))
}

/// A calling code, with or without `+`.
fn calling_code(text: &str) -> DomainResult<&str> {
    let digits = text.trim().trim_start_matches('+');
    match Country::parse(digits) {
        Some(Country::Zone(_)) => Ok(digits),
        _ => {
            Err(Error::Invalid { field: "country", rule: "must be a country calling code in digits, such as 86 or 1" })
        }
    }
}

/// The number of an entry. One that begins with `+` or `00` names its country; another is one of the default country.
fn parsed(country: Option<&str>, phone: &str) -> Option<Phone> {
    let text = phone.trim_start();
    let own = country.and_then(|code| Phone::parse(code, phone).ok());
    let international = || text.starts_with(['+', '\u{ff0b}']) || (country.is_some() && text.starts_with("00"));
    own.or_else(|| international().then(|| Phone::parse("", phone).ok()).flatten())
}

/// The absolute URL of a picture; empty if there is none.
fn absolute(state: &AppState, origin: &Origin, avatar: &str) -> String {
    if avatar.is_empty() { String::new() } else { state.url.absolute(origin, avatar) }
}

/// Get the public profile of a user.
#[utoipa::path(
    get, path = "/v1/users/{id}", tag = "v1", operation_id = "v1_get_user", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The user's id, a UUID.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 404, description = "There is no such user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
    ),
)]
async fn get_user(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    id: Variable,
) -> ApiResult<V1> {
    let account = state.identity.account_of(caller, id.user()?).await?.ok_or(Error::NotFound("user"))?;
    let id = Uuid::of_user(account.id).to_string();
    let avatar = absolute(&state, &origin, &account.avatar);
    Ok(ok(Profile { id, name: account.name, state: account.state, avatar }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_country_needs_a_default() {
        let e164 = |country, phone| parsed(country, phone).map(|phone| phone.e164().to_owned());
        let chinese = Some("+8613912345678".to_owned());
        assert_eq!(e164(None, "+86 139 1234 5678"), chinese);
        assert_eq!(e164(None, "13912345678"), None);
        assert_eq!(e164(Some("86"), "139-1234-5678"), chinese);
        assert_eq!(e164(Some("49"), " +86 139 1234 5678"), chinese);
        assert_eq!(e164(Some("49"), "0086 139 1234 5678"), chinese);
        assert_eq!(e164(Some("49"), "0151 23456789"), Some("+4915123456789".to_owned()));
        for other in ["", "pizza", "10086"] {
            assert_eq!(e164(Some("86"), other), None, "{other}");
        }
    }

    #[test]
    fn a_country_is_a_calling_code() {
        assert_eq!((calling_code("86").unwrap(), calling_code("+1").unwrap()), ("86", "1"));
        for bad in ["", "+", "CN", "12345", "999", "8 6"] {
            assert!(calling_code(bad).is_err(), "{bad}");
        }
    }
}
