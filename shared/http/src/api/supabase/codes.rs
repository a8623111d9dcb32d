//! The two requests for codes of the Supabase Auth API. The gateway leads them to `codes`, and with a slash at the end of
//! the path to `auth`, so both functions have these handlers.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use domain::app_data;
use domain::codes::{AppHash, CodeRequest, CodeSender, Purpose, Recipients, RequestedCode, SolvedCaptcha, Waiting};
use domain::{Error, Result};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{AppBody, Done, Failure, Refused, SupabaseResult, phone};
use crate::api::{Api as _, Web};
use crate::body::ok;
use crate::caller::Origin;
use crate::fields::AppHashText;
use crate::routes::Routes;
use crate::{lenient, routes};

/// The handlers, for a function whose state has a [`CodeSender`].
#[must_use]
pub fn router<S: Clone + Send + Sync + 'static>() -> Routes<S>
where
    Arc<CodeSender>: FromRef<S>,
{
    Routes::new().routes(routes!(post_otp)).routes(routes!(post_resend))
}

/// A solved captcha, where one is needed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = supabase::Security)]
pub struct Security {
    /// A captcha of `GET /api/v1.0/imagecode/<id>`, as `<id>:<text>`.
    #[serde(default)]
    captcha_token: Option<String>,
}

impl Security {
    /// The captcha, if there is one.
    pub fn captcha(&self) -> Result<Option<SolvedCaptcha>> {
        let Some((id, text)) = self.captcha_token.as_deref().and_then(|token| token.split_once(':')) else {
            return Ok(None);
        };
        SolvedCaptcha::from_fields(Web::NAME, Some(id), Some(text))
    }
}

/// Refuses email addresses, which this server does not use.
pub fn without_email(email: Option<&str>) -> std::result::Result<(), Failure> {
    match email.filter(|email| !email.is_empty()) {
        Some(_) => Err(Failure::coded(StatusCode::BAD_REQUEST, "email_provider_disabled", "Email logins are disabled")),
        None => Ok(()),
    }
}

/// Refuses every channel but text messages.
pub fn only_sms(channel: Option<&str>) -> std::result::Result<(), Failure> {
    match channel {
        None | Some("" | "sms") => Ok(()),
        Some(_) => Err(invalid("channel must be sms")),
    }
}

fn invalid(words: &str) -> Failure {
    Failure::coded(StatusCode::BAD_REQUEST, "validation_failed", words)
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
async fn post_otp(
    State(sender): State<Arc<CodeSender>>,
    origin: Origin,
    AppBody(asked): AppBody<Otp>,
) -> SupabaseResult {
    without_email(asked.email.as_deref())?;
    only_sms(asked.channel.as_deref())?;
    let phone = phone(&asked.phone.ok_or_else(|| invalid("Phone number is missing"))?)?;
    let metadata = app_data::merge(&Map::new(), asked.data.unwrap_or_default())?;
    let captcha = asked.gotrue_meta_security.unwrap_or_default().captcha()?;
    let known = asked.create_user == Some(false) || !sender.policy.sign_ups;
    let recipients = if known { Recipients::WithAccount } else { Recipients::All };
    let metadata = (!known && !metadata.is_empty()).then(|| Value::Object(metadata).to_string());
    let waiting = Waiting { user_metadata: metadata, needs_account: known, ..Waiting::default() };
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::SignIn, from: origin.address, captcha, app_hash };
    match sender.send_to(request, recipients, waiting).await {
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
async fn post_resend(
    State(sender): State<Arc<CodeSender>>,
    origin: Origin,
    AppBody(asked): AppBody<Resend>,
) -> SupabaseResult {
    without_email(asked.email.as_deref())?;
    let is_change = match asked.kind.as_deref() {
        Some("sms") => false,
        Some("phone_change") => true,
        _ => return Err(invalid("type must be sms or phone_change")),
    };
    let phone = phone(&asked.phone.ok_or_else(|| invalid("Phone number is missing"))?)?;
    let captcha = asked.gotrue_meta_security.unwrap_or_default().captcha()?;
    let requested = sender.store.requested(&phone).await?;
    let now = sender.clock.now();
    let recent = requested.filter(|code| now.millis() - code.sent.millis() < RESENT_WITHIN);
    let Some((purpose, waiting)) = recent.and_then(|code| same_purpose(code, is_change)) else {
        return Ok(ok(Done {}));
    };
    let recipients = match purpose {
        Purpose::NumberChange(_) => Recipients::WithoutAccountSilently,
        // Another API may have requested it.
        _ if waiting.needs_account || !sender.policy.sign_ups => Recipients::WithAccount,
        _ => Recipients::All,
    };
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose, from: origin.address, captcha, app_hash };
    match sender.send_to(request, recipients, waiting).await {
        Err(fault @ Error::Fault(_)) => Err(fault.into()),
        // A refusal would show that a code was requested, and so whether the number had an account then.
        Ok(_) | Err(_) => Ok(ok(Done {})),
    }
}

/// The purpose of a code that was requested, if it is of this type.
fn same_purpose(code: RequestedCode, is_change: bool) -> Option<(Purpose, Waiting)> {
    let purpose = if is_change { Purpose::NumberChange(code.waiting.user?) } else { Purpose::SignIn };
    (code.purpose == purpose.name()).then_some((purpose, code.waiting))
}
