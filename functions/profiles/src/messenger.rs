//! The messenger API's part of `profiles`.

mod push;

use handset_http::api::ApiResult;
use std::collections::BTreeSet;

use axum::extract::State;
use domain::account::Caller;
use domain::clock::Timestamp;
use domain::lookup::Card;
use domain::phone::Phone;
use domain::profile::{Avatar, Nickname, ProfileChange, StateLine};
use domain::{Error, Result as DomainResult};
use handset_http::api::Messenger;
use handset_http::api::messenger::{Done, Refused};
use handset_http::body::{Changes, JsonBody, Params, Partial, ok};
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Contact;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(put_nickname))
        .routes(routes!(put_state))
        .routes(routes!(patch_me))
        .routes(routes!(look_up_users))
        .merge(push::router())
}

/// A new value.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "value": "Tom" }))]
struct NewValue {
    value: String,
}

/// Send only the fields to change. Missing or null fields keep their value.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "state": "at the sea" }))]
struct Patch {
    /// 1 to 64 characters.
    name: Option<String>,
    /// Up to 140 characters; an empty string removes it.
    state: Option<String>,
    /// The `src` or `src_url` of an upload, or any http(s) URL of 12 to 256 characters.
    avatar: Option<String>,
}

impl Partial for Patch {
    const FIELDS: &'static [&'static str] = &["name", "state", "avatar"];
}

/// A number to look up.
#[derive(Deserialize, ToSchema)]
#[serde(expecting = r#"an object such as {"zone":"86","number":"13912345678"}"#)]
#[schema(example = json!({ "zone": "86", "number": "13912345678" }))]
struct Entry {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Contact>)]
    zone: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Contact)]
    number: String,
}

/// An address book.
struct AddressBook(Vec<Entry>);

impl<'de> Deserialize<'de> for AddressBook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient::list_of(deserializer, r#"a JSON array of {"zone","number"}"#).map(Self)
    }
}

/// The account of a number.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "zone": "86", "number": "13912345678", "uid": 4_503_599_627_370_497_u64, "name": "Tom",
    "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg", "up_timestamp": 1_790_000_000,
}))]
struct Found {
    /// The value from the request.
    zone: String,
    /// The value from the request.
    number: String,
    /// The user's id; 0 if the number has no account.
    uid: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// An absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
    /// When the user was last active, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    up_timestamp: Option<i64>,
}

/// Set the current user's nickname.
#[utoipa::path(
    put, path = "/users/me/nickname", tag = "messenger", request_body = NewValue, security(("bearer" = [])),
    responses(
        (status = 200, description = "Set", body = Done),
        (status = 400, description = "The nickname does not have 1 to 64 characters",
            body = Refused, example = json!({ "error": "nickname must have 1 to 64 characters and no control characters", "kind": "invalid" })),
    ),
)]
async fn put_nickname(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Messenger>,
    Params(given, _): Params<Messenger, NewValue>,
) -> ApiResult<Messenger> {
    let change = ProfileChange { name: Some(Nickname::parse(&given.value)?), ..ProfileChange::default() };
    change_profile(&state, caller, change).await
}

/// Set the current user's state line.
#[utoipa::path(
    put, path = "/users/me/state", tag = "messenger", request_body = NewValue, security(("bearer" = [])),
    responses(
        (status = 200, description = "Set", body = Done),
        (status = 400, description = "The state line has more than 140 characters",
            body = Refused, example = json!({ "error": "state must have at most 140 characters and no control characters", "kind": "invalid" })),
    ),
)]
async fn put_state(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Messenger>,
    Params(given, _): Params<Messenger, NewValue>,
) -> ApiResult<Messenger> {
    let change = ProfileChange { state: Some(StateLine::parse(&given.value)?), ..ProfileChange::default() };
    change_profile(&state, caller, change).await
}

/// Change several fields of the current user's profile.
#[utoipa::path(
    patch, path = "/users/me", tag = "messenger", request_body = Patch, security(("bearer" = [])),
    responses(
        (status = 200, description = "Changed", body = Done),
        (status = 400, description = "A field breaks its rule",
            body = Refused, example = json!({ "error": "avatar must be the path of an uploaded picture, or an http(s) URL of 12 to 256 characters", "kind": "invalid" })),
    ),
)]
async fn patch_me(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    changes: Changes<Messenger, Patch>,
) -> ApiResult<Messenger> {
    changes.demand()?;
    let given = changes.given;
    let own = |avatar: &str| state.url.relative(&origin, avatar).to_owned();
    let change = ProfileChange {
        name: given.name.as_deref().map(Nickname::parse).transpose()?,
        state: given.state.as_deref().map(StateLine::parse).transpose()?,
        avatar: given.avatar.as_deref().map(|avatar| Avatar::parse(&own(avatar))).transpose()?,
    };
    change_profile(&state, caller, change).await
}

async fn change_profile(state: &AppState, caller: Caller, change: ProfileChange) -> ApiResult<Messenger> {
    state.accounts.change_profile(caller, &change, state.verifier.clock.now()).await?;
    Ok(ok(Done {}))
}

/// Find which numbers have accounts.
///
/// Send up to 5,000 numbers in at most 512 KB. The response has one entry for each number, in the same order. An
/// account can look up 20,000 numbers a day.
#[utoipa::path(
    method(get, post), path = "/users", tag = "messenger", operation_id = "users", security(("bearer" = [])),
    request_body = Vec<Entry>,
    responses(
        (status = 200, description = "One entry for each number", body = Vec<Found>),
        (status = 400, description = "The body is not a list, or has too many numbers", body = Refused, example = json!({ "error": "at most 5000 numbers per call", "kind": "too_many" })),
    ),
)]
async fn look_up_users(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    JsonBody(AddressBook(entries), _): JsonBody<Messenger, AddressBook>,
) -> ApiResult<Messenger> {
    Ok(ok(look_up(&state, &origin, caller, entries).await?))
}

async fn look_up(state: &AppState, origin: &Origin, caller: Caller, entries: Vec<Entry>) -> DomainResult<Vec<Found>> {
    if entries.len() > state.lookup.policy.lookup_numbers_per_call {
        return Err(Error::TooMany { most: state.lookup.policy.lookup_numbers_per_call, what: "numbers per call" });
    }
    // An address book has many entries that are not phone numbers. They count as numbers without an account.
    let phones: Vec<_> = entries.iter().map(|entry| Phone::parse(&entry.zone, &entry.number).ok()).collect();
    let asked: BTreeSet<_> = phones.iter().flatten().cloned().collect();
    let cards = state.lookup.find(caller, &asked).await?;
    let cards = phones.iter().map(|phone| cards.get(phone.as_ref()?));
    Ok(entries.into_iter().zip(cards).map(|(entry, card)| found(state, origin, entry, card)).collect())
}

fn found(state: &AppState, origin: &Origin, entry: Entry, card: Option<&Card>) -> Found {
    let text = |field: fn(&Card) -> &String| card.map(field).cloned().unwrap_or_default();
    Found {
        zone: entry.zone,
        number: entry.number,
        uid: card.map_or(0, |card| card.id.get()),
        state: text(|card| &card.state),
        name: text(|card| &card.name),
        avatar: card.map(|card| state.url.absolute(origin, &card.avatar)).unwrap_or_default(),
        up_timestamp: card.and_then(|card| card.seen).map(Timestamp::seconds),
    }
}
