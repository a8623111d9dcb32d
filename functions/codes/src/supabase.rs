//! The Supabase Auth API's part of `codes`.

use axum::extract::State;
use axum::http::StatusCode;
use domain::account::UserId;
use domain::app_data;
use domain::codes::{AppHash, CodeRequest, Purpose, Recipients, RequestedCode, SolvedCaptcha, Waiting};
use domain::{Error, Result as DomainResult};
use handset_http::api::supabase::{AppBody, Done, Failure, Refused, SupabaseResult, phone};
use handset_http::api::{Api as _, Web};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::fields::AppHashText;
use handset_http::routes::Routes;
use handset_http::{lenient, routes};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_otp)).routes(routes!(post_resend))
}

/// A solved captcha, where one is needed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = supabase::Security)]
struct Security {
    /// A captcha of `GET /api/v1.0/imagecode/<id>`, as `<id>:<text>`.
    #[serde(default)]
    captcha_token: Option<String>,
}

/// The number that the code is sent to.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::Otp, example = json!({ "phone": "8613912345678" }))]
struct Otp {
    /// The number, with or without `+`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    /// `false` sends no text to a number without an account. The response does not show it.
    #[serde(default)]
    create_user: Option<bool>,
    /// The first `user_metadata` of a new account.
    #[serde(default)]
    data: Option<Map<String, Value>>,
    /// `sms`.
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    gotrue_meta_security: Option<Security>,
    /// The hash of the Android app that reads the text (SMS Retriever).
    #[serde(default)]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    email: Option<String>,
}

/// Request a sign-in code.
///
/// Sends a text message with a code for `POST /auth/v1/verify`. The limits are those of all APIs together.
#[utoipa::path(
    post, path = "/auth/v1/otp", tag = "supabase", operation_id = "supabase_post_otp", request_body = Otp,
    responses(
        (status = 200, description = "The code was sent.", body = Done),
        (status = 400, description = "Not a phone number, or a captcha is needed.", body = Refused),
        (status = 422, description = "The text message could not be sent.", body = Refused),
        (status = 429, description = "Too soon, or too many codes.", body = Refused),
    ),
)]
async fn post_otp(State(state): State<AppState>, origin: Origin, AppBody(asked): AppBody<Otp>) -> SupabaseResult {
    if asked.email.is_some_and(|email| !email.is_empty()) {
        return Err(Failure::coded(StatusCode::BAD_REQUEST, "email_provider_disabled", "Email logins are disabled"));
    }
    only_sms(asked.channel.as_deref())?;
    let phone = phone(&asked.phone.ok_or_else(no_phone)?)?;
    let metadata = app_data::merge(&Map::new(), asked.data.unwrap_or_default())?;
    let captcha = captcha(asked.gotrue_meta_security.unwrap_or_default().captcha_token.as_deref())?;
    let known = asked.create_user == Some(false) || !state.sender.policy.sign_ups;
    let recipients = if known { Recipients::WithAccount } else { Recipients::All };
    let metadata = (!known && !metadata.is_empty()).then(|| Value::Object(metadata).to_string());
    let waiting = Waiting { user_metadata: metadata, needs_account: known, ..Waiting::default() };
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::SignIn, from: origin.address, captcha, app_hash };
    match state.sender.send_to(request, recipients, waiting).await {
        Err(Error::NotFound(_)) => {
            Err(Failure::coded(StatusCode::UNPROCESSABLE_ENTITY, "otp_disabled", "Signups not allowed for otp"))
        }
        sent => {
            sent?;
            Ok(ok(Done {}))
        }
    }
}

/// The number to which a code was sent before.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::Resend, example = json!({ "type": "sms", "phone": "8613912345678" }))]
struct Resend {
    /// `sms` or `phone_change`.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// The number, with or without `+`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    #[serde(default)]
    gotrue_meta_security: Option<Security>,
    /// The hash of the Android app that reads the text (SMS Retriever).
    #[serde(default)]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    email: Option<String>,
}

/// How long ago a code may have been requested that is sent again, in milliseconds.
const RESENT_WITHIN: i64 = 3_600_000;

/// Request the same code again.
///
/// Sends another code for the same purpose, if one was requested within the last hour and the limits allow it. The response
/// is the same in any case.
#[utoipa::path(
    post, path = "/auth/v1/resend", tag = "supabase", operation_id = "supabase_post_resend", request_body = Resend,
    responses(
        (status = 200, description = "A code was sent if one had been requested.", body = Done),
    ),
)]
async fn post_resend(State(state): State<AppState>, origin: Origin, AppBody(asked): AppBody<Resend>) -> SupabaseResult {
    if asked.email.is_some_and(|email| !email.is_empty()) {
        return Err(Failure::coded(StatusCode::BAD_REQUEST, "email_provider_disabled", "Email logins are disabled"));
    }
    let is_change = match asked.kind.as_deref() {
        Some("sms") => false,
        Some("phone_change") => true,
        _ => {
            return Err(Failure::coded(
                StatusCode::BAD_REQUEST,
                "validation_failed",
                "type must be sms or phone_change",
            ));
        }
    };
    let phone = phone(&asked.phone.ok_or_else(no_phone)?)?;
    let captcha = captcha(asked.gotrue_meta_security.unwrap_or_default().captcha_token.as_deref())?;
    let requested = state.sender.store.requested(&phone).await?;
    let now = state.sender.clock.now();
    let recent = requested.filter(|code| now.millis() - code.sent.millis() < RESENT_WITHIN);
    let Some((purpose, waiting)) = recent.and_then(|code| same_purpose(code, is_change)) else {
        return Ok(ok(Done {}));
    };
    let recipients = match purpose {
        Purpose::NumberChange(_) => Recipients::WithoutAccountSilently,
        _ if waiting.needs_account => Recipients::WithAccount,
        _ => Recipients::All,
    };
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose, from: origin.address, captcha, app_hash };
    match state.sender.send_to(request, recipients, waiting).await {
        Err(fault @ Error::Fault(_)) => Err(fault.into()),
        // A refusal would show that a code was requested, and so whether the number had an account then.
        Ok(_) | Err(_) => Ok(ok(Done {})),
    }
}

/// The purpose of a code that was requested, if it is of this type.
fn same_purpose(code: RequestedCode, is_change: bool) -> Option<(Purpose, Waiting)> {
    let user: Option<UserId> = code.waiting.user;
    let purpose = if is_change { Purpose::NumberChange(user?) } else { Purpose::SignIn };
    (code.purpose == purpose.name()).then_some((purpose, code.waiting))
}

fn captcha(token: Option<&str>) -> DomainResult<Option<SolvedCaptcha>> {
    let Some((id, text)) = token.and_then(|token| token.split_once(':')) else { return Ok(None) };
    SolvedCaptcha::from_fields(Web::NAME, Some(id), Some(text))
}

fn no_phone() -> Failure {
    Failure::coded(StatusCode::BAD_REQUEST, "validation_failed", "Phone number is missing")
}

/// Refuses every channel but text messages.
fn only_sms(channel: Option<&str>) -> Result<(), Failure> {
    match channel {
        None | Some("" | "sms") => Ok(()),
        Some(_) => Err(Failure::coded(StatusCode::BAD_REQUEST, "validation_failed", "channel must be sms")),
    }
}
