//! The `SealTalk` API's part of `codes`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Held};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shared::crypto;
use shared::domain::captcha::CaptchaId;
use shared::domain::codes::{CodeRequest, Purpose, SolvedCaptcha};
use shared::domain::phone::Phone;
use shared::domain::{Error, random};
use shared::http::api::sealtalk::{Done, Refused, Success};
use shared::http::api::{Api, Refusal, SealTalk};
use shared::http::body::Params;
use shared::http::caller::Origin;
use shared::http::lenient;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::State;

type Answer = Result<Response, Refusal<SealTalk>>;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(send_code))
        .routes(routes!(post_sms_img_code, get_sms_img_code))
        .routes(routes!(get_picture))
}

/// Where a code goes.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SendCode, example = json!({ "region": 86, "phone": 13_912_345_678_u64 }))]
#[serde(rename_all = "camelCase")]
struct SendCode {
    /// The country calling code, as a number or a string; 86 when it is missing.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = String)]
    region: String,
    /// The number, as a number or a string.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = String)]
    phone: String,
    /// What the picture of `get_sms_img_code` shows, on stages that demand it.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<String>)]
    pic_code: Option<String>,
    /// Its `verifyId`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<String>)]
    pic_code_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::PictureCode)]
#[serde(rename_all = "camelCase")]
struct PictureCode {
    url: String,
    verify_id: String,
}

/// Ask for a code.
///
/// The code is for `verify_code`, once, within five minutes. A number gets at most one code a minute, three an hour and
/// six a day, over all APIs; five an hour and ten a day at an IP address that its account knows. When a captcha is needed,
/// get one from `get_sms_img_code` and send `picCodeId` and `picCode`. A picture works for one attempt, right or wrong.
#[utoipa::path(
    post, path = "/user/send_code", tag = "sealtalk", operation_id = "sealtalk_send_code", request_body = SendCode,
    responses(
        (status = 200, description = "On its way; code 5000 when one was sent a moment ago, or too many",
            body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "Not a number, or a picture has to be read first",
            body = Refused, example = json!({ "code": 400, "message": "a captcha is needed" })),
    ),
)]
async fn send_code(Held(state): Held<State>, origin: Origin, Params(given, _): Params<SealTalk, SendCode>) -> Answer {
    let phone = Phone::parse(&given.region, &given.phone)?;
    let captcha = SolvedCaptcha::from_fields(SealTalk::NAME, given.pic_code_id.as_deref(), given.pic_code.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::Verification, from: origin.address, captcha };
    state.sender.send(request).await?;
    Ok(SealTalk::done())
}

/// Get a picture to read before asking for a code.
#[utoipa::path(
    post, path = "/user/get_sms_img_code", tag = "sealtalk", operation_id = "sealtalk_post_get_sms_img_code",
    responses((status = 200, description = "Where the picture is, and its id for `send_code`", body = inline(Success<PictureCode>), example = json!({
        "code": 200, "result": {
            "url": "https://api.example.com/user/sms_img_code/0123456789abcdef0123456789abcdef",
            "verifyId": "0123456789abcdef0123456789abcdef",
        },
    }))),
)]
async fn post_sms_img_code(Held(state): Held<State>, origin: Origin) -> Answer {
    let verify_id = crypto::hex(&random::bytes::<16>(&*state.captchas.random));
    let url = state.url.absolute(&origin, &format!("/user/sms_img_code/{verify_id}"));
    Ok(SealTalk::result(PictureCode { url, verify_id }))
}

/// Get a picture to read before asking for a code, by GET, as the clients do.
#[utoipa::path(
    get, path = "/user/get_sms_img_code", tag = "sealtalk", operation_id = "sealtalk_get_get_sms_img_code",
    responses((status = 200, description = "Where the picture is, and its id for `send_code`", body = inline(Success<PictureCode>), example = json!({
        "code": 200, "result": {
            "url": "https://api.example.com/user/sms_img_code/0123456789abcdef0123456789abcdef",
            "verifyId": "0123456789abcdef0123456789abcdef",
        },
    }))),
)]
async fn get_sms_img_code(state: Held<State>, origin: Origin) -> Answer {
    post_sms_img_code(state, origin).await
}

/// The picture itself.
///
/// Every request draws another one, and only the latest counts. Stages that show codes tell what it says in
/// `X-Captcha-Text`.
#[utoipa::path(
    get, path = "/user/sms_img_code/{verify_id}", tag = "sealtalk", operation_id = "sealtalk_get_sms_img_code_picture",
    params(("verify_id" = String, Path, description = "As `get_sms_img_code` answered it",
        example = "0123456789abcdef0123456789abcdef")),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = Vec<u8>),
        (status = 404, description = "Not an id", body = Refused, example = json!({ "code": 404, "message": "no such picture" })),
    ),
)]
async fn get_picture(Held(state): Held<State>, path: Result<Path<String>, PathRejection>) -> Answer {
    let id = path.ok().and_then(|Path(id)| CaptchaId::parse(&id).ok()).ok_or(Error::NotFound("picture"))?;
    let (picture, text) = state.captchas.draw(SealTalk::NAME, &id).await?;
    let shown = Some(text).filter(|_| state.expose).map(|text| [("x-captcha-text", text)]);
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    Ok((headers, shown.map(AppendHeaders), picture.png()?).into_response())
}
