//! The messenger API's part of `codes`.

use axum::extract::State;
use axum::response::Response;
use domain::codes::{AppHash, CodeRequest, Purpose, SolvedCaptcha};
use domain::phone::Phone;
use handset_http::api::messenger::Refused;
use handset_http::api::{Api, Messenger, Refusal, Web};
use handset_http::body::{Params, ok};
use handset_http::caller::Origin;
use handset_http::fields::{AppHashText, Number, Text, Zone};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_verify_code)).routes(routes!(get_verify_code))
}

/// The number that the code is sent to.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "zone": "86", "number": "13912345678" }))]
struct AskForCode {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    zone: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    number: String,
    /// The id of a captcha, chosen by the client: the picture is at `GET /api/v1.0/imagecode/<id>`. Send it if the
    /// response says that a captcha is needed.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    captcha_id: Option<String>,
    /// The characters that the captcha shows.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    captcha: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
}

/// The number that the code was sent to.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "zone": "86", "number": "13912345678" }))]
struct CodeSent {
    /// The country calling code from the request, or that of the number if the request has none.
    zone: String,
    /// The number from the request.
    number: String,
    /// The code, only with `ExposeCodes=true` (the local run).
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// Request a sign-in code.
///
/// Sends a text message with a code for `POST /auth/token`. The code works once, for five minutes. A number gets at most
/// one code a minute, three an hour and six a day, over all APIs; five an hour and ten a day at an IP address that its
/// account knows. When a captcha is needed, get a picture from `GET /api/v1.0/imagecode/<id>` with an id of your choice,
/// and send `captcha_id` and `captcha` with the same request. Send all fields as JSON, as a form or in the query.
#[utoipa::path(
    post, path = "/verify_code", tag = "messenger", operation_id = "post_verify_code",
    params(
        ("zone" = Option<Zone>, Query, description = "Country calling code, with or without `+`; 86 if it is missing", example = "86"),
        ("number" = Option<Number>, Query, description = "Phone number, unless it is in the body", example = "13912345678"),
    ),
    request_body(content((Option<AskForCode> = "application/json"), (Option<AskForCode> = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The code was sent", body = CodeSent),
        (status = 400, description = "Not a phone number, too soon, too many codes, or the text message could not be sent",
            body = Refused, example = json!({ "error": "a code was sent a moment ago; try again in 42 s", "kind": "code_too_soon" })),
    ),
)]
async fn post_verify_code(
    State(state): State<AppState>,
    origin: Origin,
    Params(asked, _): Params<Messenger, AskForCode>,
) -> Result<Response, Refusal<Messenger>> {
    let phone = Phone::parse(&asked.zone, &asked.number)?;
    let captcha = SolvedCaptcha::from_fields(Web::NAME, asked.captcha_id.as_deref(), asked.captcha.as_deref())?;
    let app_hash = AppHash::from_field(asked.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::SignIn, from: origin.address, captcha, app_hash };
    let code = state.sender.send(request).await?;
    let code = Some(code).filter(|_| state.expose);
    // A zone that was left out is answered as the one the number turned out to have.
    let zone = if asked.zone.is_empty() { phone.zone().to_string() } else { asked.zone };
    Ok(ok(CodeSent { zone, number: asked.number, code }))
}

/// Request a sign-in code (GET, for older clients).
#[utoipa::path(
    get, path = "/verify_code", tag = "messenger", operation_id = "get_verify_code",
    params(
        ("zone" = Option<Zone>, Query, description = "Country calling code, with or without `+`; 86 if it is missing", example = "86"),
        ("number" = Number, Query, description = "Phone number", example = "13912345678"),
        ("captcha_id" = Option<Text>, Query, description = "The id of a captcha, if one is needed", example = "an-id"),
        ("captcha" = Option<Text>, Query, description = "The text of the captcha", example = "7KTC"),
        ("app_hash" = Option<AppHashText>, Query, description = "The hash of your Android app; write `+` as `%2B`", example = "FA+9qCX9VSu"),
    ),
    responses(
        (status = 200, description = "The code was sent", body = CodeSent),
        (status = 400, description = "Not a phone number, too soon, too many codes, or the text message could not be sent",
            body = Refused, example = json!({ "error": "number is not a valid phone number; outside mainland China write + and the country code before it", "kind": "invalid" })),
    ),
)]
async fn get_verify_code(
    state: State<AppState>,
    origin: Origin,
    params: Params<Messenger, AskForCode>,
) -> Result<Response, Refusal<Messenger>> {
    post_verify_code(state, origin, params).await
}
