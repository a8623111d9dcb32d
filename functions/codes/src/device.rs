//! The device API's part of `codes`.

use axum::extract::State;
use axum::response::Response;
use domain::codes::{AppHash, CodeRequest, Purpose, SolvedCaptcha};
use domain::phone::Phone;
use domain::{Error, Result as DomainResult};
use handset_http::api::device::Either;
use handset_http::api::{Api, Device, Refusal, Web};
use handset_http::body::Params;
use handset_http::caller::Origin;
use handset_http::fields::{AppHashText, Mobile, Text};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_verification_codes))
}

/// The number that the code is sent to, and the purpose of the code.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::AskForCode, example = json!({ "flag": 1, "phoneNumber": "18514760073" }))]
struct AskForCode {
    /// The purpose of the code: 0 = sign up, 1 = reset the password.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    flag: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    phone_number: String,
    /// The id of a captcha, chosen by the client: the picture is at `GET /api/v1.0/imagecode/<id>`. Send it if the
    /// response says that a captcha is needed.
    #[serde(default, rename = "captcha_id", alias = "captchaId", deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    captcha_id: Option<String>,
    /// The characters that the captcha shows.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    captcha: Option<String>,
    #[serde(default, rename = "app_hash", alias = "appHash", deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
}

/// The number that the code was sent to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Sent)]
struct Sent {
    phone_number: String,
}

/// Request a code.
///
/// With flag 0, a number that has an account is an error. With flag 1, the response is the same for a number without an
/// account, but no text message is sent. A number gets at most one code a minute, three an hour and six a day, over all
/// APIs; five an hour and ten a day at an IP address that its account knows. When a captcha is needed, get a picture from
/// `GET /api/v1.0/imagecode/<id>` with an id of your choice, and send `captcha_id` and `captcha` with the same request.
#[utoipa::path(
    post, path = "/verification_codes", tag = "device", operation_id = "device_ask_for_code",
    request_body = AskForCode,
    responses((
        status = 200,
        description = "The code was sent; or `success` is false: not a phone number, a registered number, too soon, too many codes",
        body = inline(Either<Sent>),
        example = json!({ "success": true, "msg": "ok", "data": { "phoneNumber": "18514760073" } }),
    )),
)]
async fn post_verification_codes(
    State(state): State<AppState>,
    origin: Origin,
    Params(asked, _): Params<Device, AskForCode>,
) -> Result<Response, Refusal<Device>> {
    let phone = Phone::parse("", &asked.phone_number)?;
    let captcha = SolvedCaptcha::from_fields(Web::NAME, asked.captcha_id.as_deref(), asked.captcha.as_deref())?;
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let purpose = purpose(&asked.flag)?;
    let request = CodeRequest { phone: &phone, purpose, from: origin.address, captcha, app_hash };
    state.sender.send(request).await?;
    Ok(Device::data(Sent { phone_number: asked.phone_number }))
}

fn purpose(flag: &str) -> DomainResult<Purpose> {
    match flag.trim() {
        "0" => Ok(Purpose::SignUp),
        "1" => Ok(Purpose::Recovery),
        _ => Err(Error::Invalid { field: "flag", rule: "must be 0 (sign up) or 1 (reset the password)" }),
    }
}
