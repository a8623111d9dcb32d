//! What users of the Supabase API read and change of themselves.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::Error;
use domain::codes::{CodeRequest, Purpose, Typed, Waiting};
use domain::identity::{Confirmation, SignOut};
use domain::login_identifier::LoginIdentifier;
use domain::password::Password;
use domain::uuid::Uuid;
use handset_http::api::supabase::codes::{only_sms, without_email};
use handset_http::api::supabase::{
    AppBody, AppSigned, AppSigningOut, Coded, Done, Failure, Refused, SupabaseResult, phone,
};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::fields::Code;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::objects::User;
use super::{AppQuery, done, refused};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_user, put_user))
        .routes(routes!(get_reauthenticate))
        .routes(routes!(post_logout))
        .routes(routes!(delete_identity))
}

/// Get the user.
#[utoipa::path(
    get, path = "/auth/v1/user", tag = "supabase", operation_id = "supabase_get_user", security(("supabase_bearer" = [])),
    responses((status = 200, description = "The user.", body = User)),
)]
async fn get_user(State(state): State<AppState>, AppSigned(token): AppSigned) -> SupabaseResult {
    Ok(ok(User::of(&state.identity.app_account(token).await?)))
}

/// A change to the user. Fields that are absent stay unchanged.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::UserChange, example = json!({ "data": { "theme": "dark" } }))]
struct UserChange {
    /// Another number, with or without `+`. A code is sent to it; `POST /auth/v1/verify` with `phone_change` confirms it.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    /// A new password. All other sessions end, in all APIs.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    password: Option<String>,
    /// The current password, where a confirmation is needed.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    current_password: Option<String>,
    /// A code of `GET /auth/v1/reauthenticate`, where a confirmation is needed.
    #[serde(default, deserialize_with = "lenient::optional_code")]
    #[schema(value_type = Option<Code>)]
    nonce: Option<Typed>,
    /// A change of `user_metadata`: each key replaces the one of the same name, and null removes it.
    #[serde(default)]
    data: Option<Map<String, Value>>,
    /// `sms`.
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    email: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    app_metadata: Option<Value>,
}

/// Change the user.
///
/// A new password needs `nonce` or `current_password` if the session is older than 24 hours. Another number needs one of
/// them if the session is older than ten minutes, unless the account has no number yet.
#[utoipa::path(
    put, path = "/auth/v1/user", tag = "supabase", operation_id = "supabase_put_user",
    security(("supabase_bearer" = [])), request_body = Option<UserChange>,
    responses(
        (status = 200, description = "The user after the change.", body = User),
        (status = 400, description = "A confirmation is needed or wrong.", body = Refused),
        (status = 422, description = "The password is weak or the old one, or the number is taken.", body = Refused),
    ),
)]
async fn put_user(
    State(state): State<AppState>,
    origin: Origin,
    AppSigned(token): AppSigned,
    AppBody(given): AppBody<UserChange>,
) -> SupabaseResult {
    only_sms(given.channel.as_deref())?;
    if given.app_metadata.is_some() {
        return Err(refused(StatusCode::FORBIDDEN, "not_admin", "Only operators change app_metadata"));
    }
    let (identity, caller, from) = (&state.identity, token.caller, origin.address);
    let account = identity.app_account(token).await?;
    let email = given.email.as_deref().filter(|email| !email.is_empty());
    without_email(email.filter(|email| *email != User::of(&account).email))?;
    // Everything is read before anything is done.
    let new_phone = given.phone.as_deref().filter(|typed| !typed.is_empty()).map(phone).transpose()?;
    let password = given.password.as_deref().map(new_password).transpose()?;
    if let Some(change) = &given.data {
        domain::app_data::merge(&account.app.user_metadata, change.clone())?;
    }
    let confirmation = confirmation(&state, given.nonce.as_ref(), given.current_password.as_deref())?;
    let wrong = |error| wrong_confirmation(error, &confirmation);
    if let (Some(phone), true) = (&new_phone, password.is_some() || given.data.is_some()) {
        let is_own = account.phone.as_deref() == Some(phone.e164());
        if !is_own && identity.is_taken(&LoginIdentifier::Phone(phone.clone()), from).await? {
            return Err(Error::Taken("number").into());
        }
    }
    // A confirmation works once: for the password, or otherwise for the number.
    let mut rest = (&confirmation, false);
    if let Some(password) = password {
        identity.set_new_password(caller, password, &confirmation, from).await.map_err(wrong)?;
        rest = (&Confirmation::None, !matches!(confirmation, Confirmation::None));
    }
    if let Some(change) = &given.data {
        identity.change_user_metadata(caller, change).await?;
    }
    if let Some(phone) = &new_phone {
        identity.request_number_change(caller, &state.sender, phone, rest, from).await.map_err(wrong)?;
    }
    Ok(ok(User::of(&identity.app_account(token).await?)))
}

/// The confirmation in a request.
fn confirmation(state: &AppState, nonce: Option<&Typed>, password: Option<&str>) -> Result<Confirmation, Failure> {
    match (nonce, password) {
        (Some(Typed::Text(text)), None) if text.is_empty() => Ok(Confirmation::None),
        (Some(nonce), _) => Ok(Confirmation::Code(state.identity.code(nonce).map_err(|_| wrong_nonce())?)),
        (None, Some(password)) => Ok(Confirmation::Password(Password::typed(password).map_err(|_| wrong_password())?)),
        (None, None) => Ok(Confirmation::None),
    }
}

/// The error for a confirmation that is wrong.
fn wrong_confirmation(error: Error, confirmation: &Confirmation) -> Failure {
    match (error, confirmation) {
        (
            Error::CodeNotAsked | Error::CodeExpired | Error::CodeWrong | Error::CodeGuessesSpent,
            Confirmation::Code(_),
        ) => wrong_nonce(),
        (Error::PasswordWrong | Error::Locked { .. }, Confirmation::Password(_)) => wrong_password(),
        (other, _) => other.into(),
    }
}

fn wrong_nonce() -> Failure {
    refused(StatusCode::UNPROCESSABLE_ENTITY, "reauthentication_not_valid", "Nonce has expired or is invalid")
}

fn wrong_password() -> Failure {
    refused(StatusCode::BAD_REQUEST, "current_password_invalid", "Current password is wrong")
}

/// A new password, or what it lacks.
pub(super) fn new_password(text: &str) -> Result<Password, Failure> {
    const WEAK: &str = "Password must have 6 to 64 bytes and no spaces";
    Password::new(text).map_err(|_| match text.len() {
        0..6 => weak("length", WEAK),
        6..=64 => weak("characters", WEAK),
        _ => refused(StatusCode::BAD_REQUEST, "validation_failed", WEAK),
    })
}

fn weak(reason: &'static str, words: &str) -> Failure {
    Coded { reasons: Some(reason), ..Coded::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", words) }.into()
}

/// Request a code that confirms a change.
///
/// Sends a code to the account's number. It is the `nonce` of `PUT /auth/v1/user`.
#[utoipa::path(
    get, path = "/auth/v1/reauthenticate", tag = "supabase", operation_id = "supabase_get_reauthenticate",
    security(("supabase_bearer" = [])),
    responses(
        (status = 200, description = "The code was sent.", body = Done),
        (status = 400, description = "The account has no number.", body = Refused),
        (status = 429, description = "Too soon, or too many codes.", body = Refused),
    ),
)]
async fn get_reauthenticate(
    State(state): State<AppState>,
    origin: Origin,
    AppSigned(token): AppSigned,
) -> SupabaseResult {
    let account = state.identity.app_account(token).await?;
    let Some(own) = account.phone.as_deref() else {
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "validation_failed",
            "Phone number is missing: the account has none",
        ));
    };
    let own = own.parse()?;
    let purpose = Purpose::Reauthentication(token.caller.user);
    let request = CodeRequest { phone: &own, purpose, from: origin.address, captcha: None, app_hash: None };
    state.sender.send_to(request, purpose.recipients(), Waiting::default()).await?;
    state.identity.record_reauthentication(token.caller, &account).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    scope: Option<String>,
}

/// Sign out.
#[utoipa::path(
    post, path = "/auth/v1/logout", tag = "supabase", operation_id = "supabase_post_logout",
    security(("supabase_bearer" = [])),
    params(("scope" = Option<String>, Query, description = "`global` (all sessions, in all APIs; the default), `local` (this one) or `others`.", example = "local")),
    responses(
        (status = 204, description = "Signed out."),
        (status = 400, description = "There is no such scope.", body = Refused),
    ),
)]
async fn post_logout(
    State(state): State<AppState>,
    AppSigningOut(token): AppSigningOut,
    AppQuery(Scope { scope }): AppQuery<Scope>,
) -> SupabaseResult {
    let which = match scope.as_deref() {
        None | Some("" | "global") => SignOut::All,
        Some("local") => SignOut::Own,
        Some("others") => SignOut::Others,
        Some(_) => {
            return Err(refused(StatusCode::BAD_REQUEST, "validation_failed", "scope must be global, local or others"));
        }
    };
    state.identity.sign_out_of(token.caller, which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Remove a way to sign in.
#[utoipa::path(
    delete, path = "/auth/v1/user/identities/{id}", tag = "supabase", operation_id = "supabase_delete_identity",
    security(("supabase_bearer" = [])),
    params(("id" = String, Path, description = "The `identity_id`.", example = "8c7a3c10-5f1e-8003-8000-1b9f5ad3c2e4")),
    responses(
        (status = 200, description = "Removed.", body = Done),
        (status = 400, description = "It is the number or the username, and the session is older than ten minutes.",
            body = Refused),
        (status = 422, description = "It is the only one, or there is no such identity.", body = Refused),
    ),
)]
async fn delete_identity(
    State(state): State<AppState>,
    AppSigned(token): AppSigned,
    Path(id): Path<String>,
) -> SupabaseResult {
    // One library's URL has a stray sign before the id.
    let id: Uuid = id
        .strip_prefix('$')
        .unwrap_or(&id)
        .parse()
        .map_err(|_| refused(StatusCode::NOT_FOUND, "validation_failed", "identity_id must be a UUID"))?;
    let user = token.caller.user;
    let own = |claim: &LoginIdentifier| Uuid::of_login_identifier(user, claim) == id;
    state.identity.unlink(token.caller, own, &Confirmation::None, None).await?;
    Ok(done())
}
