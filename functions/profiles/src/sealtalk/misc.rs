//! Other requests of the `SealTalk` API's clients: the newest versions of the apps, and the demo groups and chat rooms.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::Error;
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Refused, Success};
use handset_http::body::Params;
use handset_http::routes;
use handset_http::routes::Routes;
use runtime::{ConfigError, Env};
use semver::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_demo_square))
        .routes(routes!(get_client_version))
        .routes(routes!(get_latest_update))
}

/// The newest versions of the apps, from the template's parameters.
#[derive(Debug)]
pub(crate) struct ClientVersions {
    mobile: Option<Mobile>,
    mac: Option<(Version, Update)>,
}

/// The newest versions of the mobile apps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = sealtalk::ClientVersion)]
struct Mobile {
    #[serde(rename = "iOS")]
    ios: Ios,
    #[serde(rename = "Android")]
    android: Android,
}

/// The newest app for iOS.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = sealtalk::IosVersion)]
struct Ios {
    version: String,
    /// When the app was built, as `yyyyMMddHHmm`. The apps for both systems compare it with their own build time.
    build: String,
    /// The URL of the app's manifest.
    url: String,
}

/// The newest app for Android.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = sealtalk::AndroidVersion)]
struct Android {
    version: String,
    /// The URL of the package.
    url: String,
}

/// The newest app for macOS, in the format of the Squirrel updater.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = sealtalk::LatestUpdate)]
struct Update {
    version: String,
    /// The URL of the archive.
    url: String,
    name: String,
    /// The release notes.
    notes: String,
    /// When the version was published, in ISO 8601.
    pub_date: String,
}

impl ClientVersions {
    /// Reads the versions from the environment. If one setting of a platform is missing, the platform has no version,
    /// because a client would stop at an incomplete one.
    pub(crate) fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let text = |name: &str| env.optional(name).map(str::to_owned);
        let mobile = || {
            let ios = Ios { version: text("IOS_VERSION")?, build: text("IOS_BUILD")?, url: text("IOS_URL")? };
            let android = Android { version: text("ANDROID_VERSION")?, url: text("ANDROID_URL")? };
            Some(Mobile { ios, android })
        };
        let mac = || {
            let version = text("MAC_VERSION")?;
            let (url, pub_date) = (text("MAC_URL")?, text("MAC_DATE")?);
            let notes = text("MAC_NOTES").unwrap_or_default();
            Some(Update { name: version.clone(), version, url, notes, pub_date })
        };
        let mac = mac().map(|update| {
            let version = Version::parse(&update.version);
            let version =
                version.map_err(|_| ConfigError::unreadable("MAC_VERSION", "three numbers with dots between"));
            Ok((version?, update))
        });
        Ok(Self { mobile: mobile(), mac: mac.transpose()? })
    }
}

/// A demo group or chat room.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::DemoPlace)]
#[serde(rename_all = "camelCase")]
struct DemoPlace {
    /// `group` or `chatroom`.
    #[serde(rename = "type")]
    kind: String,
    id: String,
    name: String,
    portrait_uri: String,
    member_count: u32,
    max_member_count: u32,
}

/// List the demo groups and chat rooms.
///
/// The list is always empty.
#[utoipa::path(
    get, path = "/misc/demo_square", tag = "sealtalk", operation_id = "sealtalk_get_demo_square",
    responses((status = 200, description = "An empty list", body = inline(Success<Vec<DemoPlace>>),
        example = json!({ "code": 200, "result": [] }))),
)]
async fn get_demo_square() -> Response {
    SealTalk::result(Vec::<DemoPlace>::new())
}

/// Get the newest versions of the mobile apps.
#[utoipa::path(
    get, path = "/misc/client_version", tag = "sealtalk", operation_id = "sealtalk_get_client_version",
    responses(
        (status = 200, description = "The versions, without the API's usual `code` and `result`", body = Mobile,
            example = json!({
                "iOS": { "version": "1.0.5", "build": "201607181821", "url": "https://example.com/app.plist" },
                "Android": { "version": "1.0.5", "url": "https://example.com/app.apk" },
            })),
        (status = 404, description = "This deployment has no version information",
            body = Refused, example = json!({ "code": 404, "message": "no such version" })),
    ),
)]
async fn get_client_version(State(state): State<AppState>) -> ApiResult<SealTalk> {
    let mobile = state.versions.mobile.as_ref().ok_or(Error::NotFound("version"))?;
    Ok(SealTalk::bare(mobile))
}

/// The version of the app that sends the request.
#[derive(Deserialize)]
struct Running {
    #[serde(default)]
    version: String,
}

/// Get the newest version of the macOS app, if it is newer than the client's.
#[utoipa::path(
    get, path = "/misc/latest_update", tag = "sealtalk", operation_id = "sealtalk_get_latest_update",
    params(("version" = String, Query, description = "The version of the app that sends the request", example = "1.0.1")),
    responses(
        (status = 200, description = "A newer version, without the API's usual `code` and `result`", body = Update,
            example = json!({
                "version": "1.0.2", "url": "https://example.com/app.zip", "name": "1.0.2", "notes": "",
                "pub_date": "2016-05-05T16:00:00+08:00",
            })),
        (status = 204, description = "The client has the newest version"),
        (status = 400, description = "`version` is not a version such as `1.0.1`",
            body = Refused, example = json!({ "code": 400, "message": "version must be three numbers with dots between, such as 1.0.1" })),
        (status = 404, description = "This deployment has no version information",
            body = Refused, example = json!({ "code": 404, "message": "no such version" })),
    ),
)]
async fn get_latest_update(
    State(state): State<AppState>,
    Params(given, _): Params<SealTalk, Running>,
) -> ApiResult<SealTalk> {
    const RULE: Error =
        Error::Invalid { field: "version", rule: "must be three numbers with dots between, such as 1.0.1" };
    let (newest, update) = state.versions.mac.as_ref().ok_or(Error::NotFound("version"))?;
    let running = given.version.trim().trim_start_matches(['v', '=']);
    let running = Version::parse(running).map_err(|_| RULE)?;
    Ok(if running < *newest { SealTalk::bare(update) } else { StatusCode::NO_CONTENT.into_response() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOBILE: [(&str, &str); 5] = [
        ("IOS_VERSION", "1.0.5"),
        ("IOS_BUILD", "201607181821"),
        ("IOS_URL", "https://example.com/app.plist"),
        ("ANDROID_VERSION", "1.0.6"),
        ("ANDROID_URL", "https://example.com/app.apk"),
    ];

    fn versions(settings: &[(&str, &str)]) -> Result<ClientVersions, ConfigError> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ClientVersions::from_env(&settings.collect::<Env>())
    }

    #[test]
    fn a_part_of_the_settings_is_no_version() {
        assert!(versions(&MOBILE).unwrap().mobile.is_some());
        for missing in 0..MOBILE.len() {
            let mut settings = MOBILE;
            settings[missing].1 = "";
            assert!(versions(&settings).unwrap().mobile.is_none(), "{}", MOBILE[missing].0);
        }
        let mac = [("MAC_VERSION", "1.0.2"), ("MAC_URL", "https://example.com/app.zip"), ("MAC_DATE", "2016-05-05")];
        assert!(versions(&mac).unwrap().mac.is_some());
        assert!(versions(&mac[..2]).unwrap().mac.is_none() && versions(&[]).unwrap().mac.is_none());
        assert!(versions(&[("MAC_VERSION", "1"), mac[1], mac[2]]).is_err());
    }
}
