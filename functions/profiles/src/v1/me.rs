//! The user's own account as the app shows it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use domain::Result as DomainResult;
use domain::account::Account;
use domain::login_identifier::LoginIdentifier;
use domain::profile::{Avatar, Nickname, ProfileChange, StateLine};
use domain::session::PushService;
use domain::uuid::Uuid;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Fields, Token};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_me, patch_me))
}

fn example() -> Value {
    json!({
        "id": "00000000-000e-8001-8000-5d71a71403f0", "phone": "+8613912345678", "name": "Tom", "state": "at the sea",
        "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
        "created_at": "2026-08-21T10:00:00.000Z", "is_anonymous": false, "has_password": true,
        "identities": [{
            "id": "d52ee8c6-8353-8003-8000-26eb85cd4c63", "provider": "phone", "created_at": "2026-08-21T10:00:00.000Z",
        }],
        "devices": [{ "id": "07070707-0707-8002-8000-070707070707", "platform": "ios", "current": true }],
    })
}

/// The user's own account. Fields without a value are absent.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Me, example = example)]
pub(super) struct Me {
    /// The user's id, a UUID.
    id: String,
    /// The phone number in E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// The username.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The nickname.
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The state line.
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    /// The picture, an absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
    created_at: String,
    /// Whether nobody can sign in to the account again: it has no number, no username and no sign-in provider.
    is_anonymous: bool,
    has_password: bool,
    /// The ways in which the user signs in.
    identities: Vec<Identity>,
    /// The devices that get push notifications.
    devices: Vec<Device>,
}

/// A way in which a user signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Identity)]
struct Identity {
    /// Its id, a UUID.
    id: String,
    /// `phone`, `username`, or the name of a sign-in provider.
    provider: &'static str,
    /// When it was added, as far as that was recorded.
    created_at: String,
}

/// A device that gets push notifications.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Device)]
pub(super) struct Device {
    /// The id of the session on this device.
    id: String,
    /// `ios` or `android`.
    platform: &'static str,
    /// Whether it is the device of this session.
    current: bool,
}

impl Me {
    fn new(state: &AppState, origin: &Origin, account: &Account, current: &Token) -> DomainResult<Self> {
        let since = |identifier: &LoginIdentifier| match identifier {
            LoginIdentifier::Phone(_) => account.phone_proved.unwrap_or(account.created),
            LoginIdentifier::Username(_) => account.created,
            LoginIdentifier::Provider { provider, subject } => {
                let linked =
                    account.linked.iter().find(|linked| (linked.provider, &linked.subject) == (*provider, subject));
                linked.map_or(account.created, |linked| linked.since)
            }
        };
        let identity = |identifier: &LoginIdentifier| Identity {
            id: Uuid::of_login_identifier(account.id, identifier).to_string(),
            provider: identifier.provider_name(),
            created_at: since(identifier).rfc3339(),
        };
        let now = state.verifier.clock.now();
        let devices =
            account.sessions.iter().filter(|(_, session)| session.is_active(now)).filter_map(|(id, session)| {
                let platform = platform(&session.push)?;
                let current = *id == current.caller.session;
                Some(Device { id: Uuid::of_session(*id).to_string(), platform, current })
            });
        let avatar =
            if account.avatar.is_empty() { String::new() } else { state.url.absolute(origin, &account.avatar) };
        Ok(Self {
            id: Uuid::of_user(account.id).to_string(),
            phone: account.phone.clone(),
            username: account.username.clone(),
            name: account.name.clone(),
            state: account.state.clone(),
            avatar,
            created_at: account.created.rfc3339(),
            is_anonymous: account.is_anonymous(),
            has_password: account.secret.hash.is_some(),
            identities: account.login_identifiers()?.iter().map(identity).collect(),
            devices: devices.collect(),
        })
    }
}

/// The platform of a session's device, if it gets push notifications.
fn platform(push: &domain::session::PushTokens) -> Option<&'static str> {
    const ANDROID: &str = "android";
    const IOS: &str = "ios";
    match &push.device {
        Some((_, 1)) => Some(IOS),
        Some(_) => Some(ANDROID),
        None if push.services.contains_key(&PushService::Apns) => Some(IOS),
        None => push.services.keys().next().map(|_| ANDROID),
    }
}

fn answer(state: &AppState, origin: &Origin, account: &Account, token: &Token) -> DomainResult<Response> {
    let me = Me::new(state, origin, account, token)?;
    Ok(([(ETAG, v1::entity_tag(account.looks))], ok(me)).into_response())
}

/// Get the current user's account.
#[utoipa::path(
    get, path = "/v1/me", tag = "v1", operation_id = "v1_get_me", security(("v1_bearer" = [])),
    responses((status = 200, description = "The account", body = Me, headers(
        ("ETag" = String, description = "The version of name, state and picture. Send it as `If-Match` with a change."),
    ))),
)]
async fn get_me(State(state): State<AppState>, origin: Origin, token: Token) -> ApiResult<V1> {
    let account = state.identity.account(token.caller).await?;
    if let Some(app) = token.app {
        state.identity.record_use(app, &account).await?;
    }
    Ok(answer(&state, &origin, &account, &token)?)
}

/// A merge patch (RFC 7396): absent fields stay as they are, and null removes a value.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::MePatch, example = json!({ "name": "Tom", "state": null }))]
#[expect(clippy::option_option, reason = "a field is absent, null or a value")]
struct Patch {
    /// The nickname: 1 to 64 characters.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// The state line: up to 140 characters.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    state: Option<Option<String>>,
    /// The picture: the URL of an uploaded picture, or any http(s) URL of 12 to 256 characters.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    avatar: Option<Option<String>>,
}

/// Change the current user's name, state line or picture.
///
/// With `If-Match`, the change is made only if nobody has changed one of the three since: send the `ETag` that came with
/// them.
#[utoipa::path(
    patch, path = "/v1/me", tag = "v1", operation_id = "v1_patch_me", security(("v1_bearer" = [])),
    request_body = Option<Patch>,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is to be changed.", example = "\"7\"")),
    responses(
        (status = 200, description = "The account after the change", body = Me, headers(
            ("ETag" = String, description = "The version of name, state and picture."),
        )),
        (status = 412, description = "It was changed since", body = Refused, example = json!({
            "type": "about:blank", "title": "Precondition Failed", "status": 412, "code": "condition_failed",
            "detail": "it was changed since: If-Match does not match",
        })),
    ),
)]
async fn patch_me(
    State(state): State<AppState>,
    origin: Origin,
    token: Token,
    headers: HeaderMap,
    Fields(given): Fields<Patch>,
) -> ApiResult<V1> {
    let version = v1::if_match(&headers)?;
    let own = |url: &str| state.url.relative(&origin, url).to_owned();
    let change = ProfileChange {
        name: parsed(given.name, Nickname::none, |name| Nickname::parse(&name))?,
        state: parsed(given.state, StateLine::none, |line| StateLine::parse(&line))?,
        avatar: parsed(given.avatar, Avatar::none, |url| Avatar::parse(&own(&url)))?,
    };
    let account = if change == ProfileChange::default() && version.is_none() {
        state.identity.account(token.caller).await?
    } else {
        state.profiles.edit_profile(token.caller, &change, version, state.verifier.clock.now()).await?
    };
    Ok(answer(&state, &origin, &account, &token)?)
}

/// The new value of a field that is there.
#[expect(clippy::option_option, reason = "a field is absent, null or a value")]
fn parsed<T>(
    field: Option<Option<String>>,
    none: impl FnOnce() -> T,
    parse: impl FnOnce(String) -> DomainResult<T>,
) -> DomainResult<Option<T>> {
    match field {
        None => Ok(None),
        Some(None) => Ok(Some(none())),
        Some(Some(text)) => parse(text).map(Some),
    }
}
