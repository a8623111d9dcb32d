//! The `SealTalk` API's part of `codes`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{AppendHeaders, IntoResponse};
use domain::captcha::CaptchaId;
use domain::codes::{AppHash, CodeRequest, Purpose, SolvedCaptcha};
use domain::crypto;
use domain::phone::Phone;
use domain::{Error, random};
use handset_http::api::ApiResult;
use handset_http::api::sealtalk::{DoneOrRefused, Refused, Success};
use handset_http::api::{Api, SealTalk};
use handset_http::body::Params;
use handset_http::caller::Origin;
use handset_http::fields::{AppHashText, Binary, Number, Text, Zone};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(send_code)).routes(routes!(get_sms_img_code)).routes(routes!(get_picture))
}

/// The number that the code is sent to.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SendCode, example = json!({ "region": 86, "phone": 13_912_345_678_u64 }))]
#[serde(rename_all = "camelCase")]
struct SendCode {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    region: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    phone: String,
    /// The text in the picture of `get_sms_img_code`, if the deployment requires a captcha.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    pic_code: Option<String>,
    /// The `verifyId` of the picture.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    pic_code_id: Option<String>,
    #[serde(default, rename = "app_hash", alias = "appHash", deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::PictureCode)]
#[serde(rename_all = "camelCase")]
struct PictureCode {
    url: String,
    verify_id: String,
}

/// Request a code.
///
/// Check the code with `verify_code`. It works once, for five minutes. A number gets at most one code a minute, three
/// an hour and six a day, over all APIs; five an hour and ten a day at an IP address that its account knows. When a
/// captcha is needed, get one from `get_sms_img_code` and send `picCodeId` and `picCode`. A captcha is valid for one
/// attempt, right or wrong.
#[utoipa::path(
    post, path = "/user/send_code", tag = "sealtalk", operation_id = "sealtalk_send_code", request_body = SendCode,
    responses(
        (status = 200, description = "The code was sent. Code 5000: too soon, too many codes, or the text message could not be sent",
            body = inline(DoneOrRefused), examples(
                ("success" = (value = json!({ "code": 200 }))),
                ("too soon" = (value = json!({ "code": 5_000, "message": "a code was sent a moment ago; try again in 42 s" }))),
            )),
        (status = 400, description = "Not a phone number, or a captcha is missing or wrong",
            body = Refused, example = json!({ "code": 400, "message": "a captcha is needed" })),
    ),
)]
async fn send_code(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, SendCode>,
) -> ApiResult<SealTalk> {
    let phone = Phone::parse(&given.region, &given.phone)?;
    let captcha = SolvedCaptcha::from_fields(SealTalk::NAME, given.pic_code_id.as_deref(), given.pic_code.as_deref())?;
    let app_hash = AppHash::from_field(given.app_hash.as_deref())?;
    let (purpose, from) = (Purpose::Verification, origin.address);
    let request = CodeRequest { phone: &phone, purpose, from, captcha, app_hash };
    state.sender.send(request).await?;
    Ok(SealTalk::done())
}

/// Get a captcha, for `send_code`.
#[utoipa::path(
    method(get, post), path = "/user/get_sms_img_code", tag = "sealtalk", operation_id = "sealtalk_get_sms_img_code",
    responses((status = 200, description = "The URL of the picture, and its id for `send_code`", body = inline(Success<PictureCode>), example = json!({
        "code": 200, "result": {
            "url": "https://api.example.com/user/sms_img_code/0123456789abcdef0123456789abcdef",
            "verifyId": "0123456789abcdef0123456789abcdef",
        },
    }))),
)]
async fn get_sms_img_code(State(state): State<AppState>, origin: Origin) -> ApiResult<SealTalk> {
    let verify_id = crypto::hex(&random::bytes::<16>(&*state.captchas.random));
    let url = state.url.absolute(&origin, &format!("/user/sms_img_code/{verify_id}"));
    Ok(SealTalk::result(PictureCode { url, verify_id }))
}

/// Get the picture of a captcha.
///
/// Each request draws a new picture, and only the latest one counts.
#[utoipa::path(
    get, path = "/user/sms_img_code/{verify_id}", tag = "sealtalk", operation_id = "sealtalk_get_sms_img_code_picture",
    params(("verify_id" = String, Path, description = "The `verifyId` of `get_sms_img_code`",
        example = "0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = inline(Binary),
            headers(
                ("Cache-Control" = String, description = "`no-store`."),
                ("X-Captcha-Text" = String, description = "What the picture says, only with `ExposeCodes=true` (the local run)."),
            )),
        (status = 404, description = "Not an id", body = Refused, example = json!({ "code": 404, "message": "no such picture" })),
    ),
)]
async fn get_picture(State(state): State<AppState>, path: Result<Path<String>, PathRejection>) -> ApiResult<SealTalk> {
    let id = path.ok().and_then(|Path(id)| CaptchaId::parse(&id).ok()).ok_or(Error::NotFound("picture"))?;
    let (picture, text) = state.captchas.draw(SealTalk::NAME, &id).await?;
    let shown = Some(text).filter(|_| state.expose).map(|text| [("x-captcha-text", text)]);
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    Ok((headers, shown.map(AppendHeaders), picture.png()?).into_response())
}
