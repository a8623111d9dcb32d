//! Downloads in the API descriptions: the headers that a request may have, and every response.

use std::collections::BTreeMap;

use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::DownloadRequest;
use crate::api::messenger::Refused;
use crate::api::{Api, Messenger};
use crate::fields::Binary;
use domain::Error;
use media_formats::sniff::{Audio, Format};

/// The responses to the download of a picture.
#[derive(Clone, Copy, Debug)]
pub struct PictureResponses;

/// The responses to the download of a voice note.
#[derive(Clone, Copy, Debug)]
pub struct AudioResponses;

impl IntoResponses for PictureResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&Format::ALL.map(Format::content_type), "image")
    }
}

impl IntoResponses for AudioResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&Audio::ALL.map(Audio::content_type), "audio")
    }
}

impl IntoParams for DownloadRequest {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        const TAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";
        const DATE: &str = "Sun, 01 Mar 2026 04:00:00 GMT";
        let headers = [
            ("Range", "The part to download.", "bytes=0-1023"),
            ("If-None-Match", "Respond with 304 if the file has one of these `ETag`s.", TAG),
            ("If-Modified-Since", "Respond with 304 if the file is not newer.", DATE),
            ("If-Match", "Respond with 412 unless the file has one of these `ETag`s.", TAG),
            ("If-Unmodified-Since", "Respond with 412 if the file is newer.", DATE),
            ("If-Range", "Ignore `Range` unless the file has this `ETag`, or is not newer than this date.", TAG),
        ];
        let parameter = |(name, about, example): (&str, &str, &str)| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
            let schema = Object::with_type(Type::String);
            parameter.description(Some(about)).example(Some(example.into())).schema(Some(schema)).build()
        };
        headers.map(parameter).into()
    }
}

fn responses(types: &[&str], thing: &'static str) -> BTreeMap<String, RefOr<Response>> {
    let bytes = |about: &str| types.iter().fold(cached(about), |response, kind| response.content(*kind, binary()));
    let served = |about: &str| {
        let nosniff = header("`nosniff`.", Type::String);
        let attachment = header("`attachment` if the kind of the file is not known.", Type::String);
        let response = bytes(about).header("Accept-Ranges", header("`bytes`.", Type::String));
        response.header("X-Content-Type-Options", nosniff).header("Content-Disposition", attachment)
    };
    let range = header("Which part of the file this is, and its whole length.", Type::String);
    let elsewhere = header("Where the file is. The link works for a quarter of an hour.", Type::String);
    let length = header("The length of the file, after `*/`.", Type::String);
    let all = [
        (200, served("The file.")),
        (206, served("The part of the file that `Range` names.").header("Content-Range", range)),
        (
            302,
            ResponseBuilder::new()
                .description("The file is larger than 4 MB: download it from `Location`.")
                .header("Location", elsewhere)
                .header("Cache-Control", header("`private`, for less than the link works.", Type::String)),
        ),
        (304, cached("The file has not changed.")),
        (404, refused("There is no such file.", &Error::NotFound(thing))),
        (412, refused("The file does not match `If-Match` or `If-Unmodified-Since`.", &Error::ConditionFailed)),
        (
            416,
            ResponseBuilder::new()
                .description("The range begins after the end of the file.")
                .header("Accept-Ranges", header("`bytes`.", Type::String))
                .header("Content-Range", length),
        ),
    ];
    all.into_iter().map(|(status, response)| (status.to_string(), response.build().into())).collect()
}

/// A response that may be cached: the content under a name never changes.
fn cached(about: &str) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(about)
        .header("Cache-Control", header("`public, immutable`, for a year.", Type::String))
        .header("ETag", header("Changes with the file.", Type::String))
        .header("Last-Modified", header("When the file was stored.", Type::String))
}

fn refused(about: &str, error: &Error) -> ResponseBuilder {
    let reference = Ref::from_schema_name(Refused::name());
    let content = ContentBuilder::new().schema(Some(reference)).example(Some(Messenger::refuse(error).body));
    ResponseBuilder::new().description(about).content("application/json", content.build())
}

fn binary() -> Content {
    ContentBuilder::new().schema(Some(Binary::schema())).build()
}

fn header(about: &str, kind: Type) -> Header {
    HeaderBuilder::new().schema(Some(Object::with_type(kind))).description(Some(about)).build()
}
