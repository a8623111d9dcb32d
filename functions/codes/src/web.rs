//! The web API's part of `codes`: captchas, and codes for users who solve them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use domain::captcha::CaptchaId;
use domain::codes::{AppHash, CodeRequest, Purpose, SolvedCaptcha};
use domain::phone::Phone;
use domain::{Error, Result as DomainResult};
use handset_http::api::web::{DoneOrRefused, Refused, Words};
use handset_http::api::{Api, Refusal, Web};
use handset_http::body::{Params, missing};
use handset_http::caller::Origin;
use handset_http::fields::{AppHashText, Binary};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;

use super::AppState;

/// With `ExposeCodes=true`, this header has the text of a captcha.
const CAPTCHA_TEXT: HeaderName = HeaderName::from_static("x-captcha-text");

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_image_code)).routes(routes!(get_sms_code))
}

/// The text of a captcha, as the user typed it, and the app that requests the code.
#[derive(Default, Deserialize)]
struct Read {
    /// The text of the captcha.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    text: Option<String>,
    /// The captcha's id.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    app_hash: Option<String>,
}

/// Get a captcha.
///
/// A JPEG of four letters and digits. Choose its id yourself, for example a UUID: 1 to 64 letters, digits, dots,
/// underscores and hyphens. The captcha is valid for three minutes and for one attempt; a new request with the same id
/// replaces it.
#[utoipa::path(
    get, path = "/api/v1.0/imagecode/{image_code_id}", tag = "web", operation_id = "web_get_image_code",
    params(("image_code_id" = String, Path, description = "An id that you choose", min_length = 1, max_length = 64,
        example = "0b1e4f2c-9d0a-4c1e-8f7a-3b2d1c0e9f8a")),
    responses(
        (status = 200, description = "The picture; or an error as JSON: 4103 not an id, 4001 it could not be stored",
            content((inline(Binary) = "image/jpg"), (Refused = "application/json")),
            headers(
                ("Cache-Control" = String, description = "`no-store`, with a picture."),
                ("X-Captcha-Text" = String, description = "What the picture says, only with `ExposeCodes=true` (the local run)."),
            )),
    ),
)]
async fn get_image_code(State(state): State<AppState>, path: Result<Path<String>, PathRejection>) -> Response {
    Web::answer(draw(&state, path).await, &[Words::of_fault("4001", "保存图片验证码失败")])
}

async fn draw(state: &AppState, path: Result<Path<String>, PathRejection>) -> DomainResult<Response> {
    let id = CaptchaId::parse(&segment(path)?)?;
    let (picture, text) = state.captchas.draw(Web::NAME, &id).await?;
    let mut response = ([(CONTENT_TYPE, "image/jpg"), (CACHE_CONTROL, "no-store")], picture.jpeg()?).into_response();
    if let Some(text) = HeaderValue::from_str(&text).ok().filter(|_| state.expose) {
        response.headers_mut().insert(CAPTCHA_TEXT, text);
    }
    Ok(response)
}

/// Request a code to register with.
///
/// This request uses the captcha up, whether its text is right or wrong; case does not matter. The text and the id can
/// be in the query or, as the original documentation has it, after commas in the path:
/// `/smscode/13912345678,text=7KTC,id=…`. A number gets at most one code a minute, three an hour and six a day, over all
/// APIs.
#[utoipa::path(
    get, path = "/api/v1.0/smscode/{mobile}", tag = "web", operation_id = "web_get_sms_code",
    params(
        ("mobile" = String, Path, description = "Phone number: of mainland China, or with `+` and the country calling code", example = "13912345678"),
        ("text" = Option<String>, Query, description = "The text of the captcha, unless it is in the path", example = "7KTC"),
        ("id" = Option<String>, Query, description = "The id of the captcha, unless it is in the path", example = "0b1e4f2c-9d0a-4c1e-8f7a-3b2d1c0e9f8a"),
        ("app_hash" = Option<AppHashText>, Query, description = "The hash of your Android app; write `+` as `%2B`", example = "FA+9qCX9VSu"),
    ),
    responses((
        status = 200,
        description = "The code was sent; or 4103 not a phone number, 4002 the captcha has expired, 4004 its text is wrong, \
            4003 the number is registered, 4201 too soon or too many codes, 4202 too many codes from this IP address, \
            4301 the text message could not be sent",
        body = inline(DoneOrRefused), example = json!({ "errno": "0", "errmsg": "发送成功" }),
    )),
)]
async fn get_sms_code(
    State(state): State<AppState>,
    origin: Origin,
    path: Result<Path<String>, PathRejection>,
    Params(query, _): Params<Web, Read>,
) -> Result<Response, Refusal<Web>> {
    let path = segment(path)?;
    let (mobile, inline) = split(&path);
    let given = |queried: Option<String>, inline: Option<&str>| {
        queried.or_else(|| inline.map(str::to_owned)).ok_or_else(|| missing("text or id"))
    };
    let text = given(query.text, inline.text.as_deref())?;
    let id = CaptchaId::parse(&given(query.id, inline.id.as_deref())?)?;
    let phone = Phone::parse("", mobile)?;
    let captcha = Some(SolvedCaptcha { api: Web::NAME, id, text });
    let app_hash = AppHash::from_field(query.app_hash.as_deref())?;
    let (purpose, from) = (Purpose::SignUp, origin.address);
    state.sender.send(CodeRequest { phone: &phone, purpose, from, captcha, app_hash }).await?;
    Ok(Web::said("发送成功"))
}

/// The one variable of a path.
fn segment(path: Result<Path<String>, PathRejection>) -> DomainResult<String> {
    path.map(|Path(text)| text).map_err(|_| Error::Malformed("the path is not UTF-8".into()))
}

/// The number of a path, and the parameters after commas.
fn split(path: &str) -> (&str, Read) {
    let (mobile, rest) = path.split_once(',').unwrap_or((path, ""));
    let mut read = Read::default();
    for (name, value) in rest.split(',').filter_map(|pair| pair.split_once('=')) {
        match name.trim() {
            "text" => read.text = Some(value.to_owned()),
            "id" => read.id = Some(value.to_owned()),
            _ => {}
        }
    }
    (mobile, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_commas_are_understood() {
        let (mobile, read) = split("13912345678,text=7KTC,id=an-id");
        assert_eq!((mobile, read.text.as_deref(), read.id.as_deref()), ("13912345678", Some("7KTC"), Some("an-id")));
        let (mobile, read) = split("13912345678");
        assert_eq!((mobile, read.text, read.id), ("13912345678", None, None));
        let (_, read) = split("13912345678,id=x,other,text=");
        assert_eq!((read.text.as_deref(), read.id.as_deref()), (Some(""), Some("x")));
    }
}
