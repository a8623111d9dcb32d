//! What this deployment allows.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use domain::policy::Policy;
use domain::provider::Provider;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{UPLOAD_LIMIT, Wanted};
use runtime::Env;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_config))
}

/// The settings of this deployment that this function knows besides the limits.
#[derive(Debug)]
pub(crate) struct Offers {
    providers: Vec<&'static str>,
    apps: Vec<App>,
}

impl Offers {
    /// Reads the names of the providers, and the newest versions of the apps.
    pub(crate) fn from_env(env: &Env) -> Self {
        let known = env.list("SIGN_IN_PROVIDERS");
        let providers = Provider::ALL.map(Provider::name).into_iter();
        let platforms = [("ios", "IOS"), ("android", "ANDROID"), ("mac", "MAC")];
        let apps = platforms.into_iter().filter_map(|(platform, prefix)| {
            let value = |name: &str| env.optional(&format!("{prefix}_{name}")).map(str::to_owned);
            Some(App { platform, version: value("VERSION")?, url: value("URL") })
        });
        let providers = providers.filter(|name| known.iter().any(|known| known == name));
        Self { providers: providers.collect(), apps: apps.collect() }
    }
}

/// The newest version of an app.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = v1::App)]
struct App {
    /// `ios`, `android` or `mac`.
    platform: &'static str,
    /// The newest version.
    version: String,
    /// Where to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What this deployment allows.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Config, example = json!({
    "countries": ["86", "CA"], "code_digits": 6, "password_bytes": { "min": 6, "max": 64 }, "sign_ups": true,
    "anonymous_accounts": true, "providers": ["apple", "google"], "page": { "usual": 50, "max": 200 },
    "max": {
        "media_body_bytes": 4_194_304, "image_bytes": 20_971_520, "image_pixels": 50_000_000, "audio_bytes": 20_971_520,
        "media_bytes_per_account": 2_147_483_648_u64, "numbers_per_lookup": 5_000, "numbers_per_day": 20_000,
        "sessions": 10,
    },
    "apps": [{ "platform": "ios", "version": "1.0.5", "url": "https://apps.example.com/ios" }],
}))]
struct Config<'a> {
    /// The countries to whose numbers codes are sent: calling codes, and ISO 3166 codes of regions. Absent if codes are
    /// sent to all countries.
    #[serde(skip_serializing_if = "Option::is_none")]
    countries: Option<Vec<String>>,
    /// How many digits a code has.
    code_digits: u32,
    /// How long a new password may be, in bytes of UTF-8.
    password_bytes: Range,
    /// Whether new accounts can be created.
    sign_ups: bool,
    /// Whether accounts without a number can be created.
    anonymous_accounts: bool,
    /// The sign-in providers that are set up: `apple` and `google` in the Supabase Auth API, `wechat`, `qq` and `weibo` in
    /// the rooms API.
    providers: &'a [&'static str],
    /// How many entries a page of a list has.
    page: Page,
    /// Maximum sizes and numbers.
    max: Max,
    /// The newest versions of the apps, as far as the deployment states them.
    #[serde(skip_serializing_if = "<[App]>::is_empty")]
    apps: &'a [App],
}

/// The shortest and the longest.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Range)]
struct Range {
    min: usize,
    max: usize,
}

/// How many entries a page of a list has.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::PageLimits)]
struct Page {
    /// Without `limit`.
    usual: usize,
    /// The largest `limit`.
    max: usize,
}

/// Maximum sizes and numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Maximums)]
struct Max {
    /// The body of `POST /v1/media` and `PUT /v1/me/avatar`.
    media_body_bytes: usize,
    /// A picture.
    image_bytes: u64,
    /// Width times height of a picture.
    image_pixels: u64,
    /// A voice note.
    audio_bytes: u64,
    /// The stored pictures and voice notes of an account.
    media_bytes_per_account: u64,
    /// Numbers in a request to `POST /v1/contacts/lookup`.
    numbers_per_lookup: usize,
    /// Numbers that an account can look up in a day (UTC).
    numbers_per_day: u32,
    /// Maximum number of sessions of an account. Another sign-in ends the oldest session.
    sessions: usize,
}

impl<'a> Config<'a> {
    fn new(policy: &Policy, offers: &'a Offers) -> Self {
        let countries = policy.countries.as_ref();
        Self {
            countries: countries.map(|countries| countries.iter().map(ToString::to_string).collect()),
            code_digits: policy.code_digits,
            password_bytes: Range { min: domain::password::SHORTEST, max: domain::password::LONGEST },
            sign_ups: policy.sign_ups,
            anonymous_accounts: policy.sign_ups && policy.anonymous_accounts,
            providers: &offers.providers,
            page: Page { usual: Wanted::USUAL, max: Wanted::MOST },
            max: Max {
                media_body_bytes: UPLOAD_LIMIT,
                image_bytes: policy.image_max_bytes,
                image_pixels: policy.image_max_pixels,
                audio_bytes: policy.audio_max_bytes,
                media_bytes_per_account: policy.media_bytes_per_account,
                numbers_per_lookup: policy.lookup_numbers_per_call,
                numbers_per_day: policy.lookup_numbers_per_day,
                sessions: policy.sessions_per_account,
            },
            apps: &offers.apps,
        }
    }
}

/// Get what this deployment allows.
///
/// Sizes are in bytes. The limits are the same for every user, so the response can be kept for a minute.
#[utoipa::path(
    get, path = "/v1/config", tag = "v1", operation_id = "v1_get_config",
    responses((status = 200, description = "The settings", body = Config,
        headers(("Cache-Control" = String, description = "One minute.")))),
)]
async fn get_config(State(state): State<AppState>) -> impl IntoResponse {
    let config = Config::new(&state.lookup.policy, &state.offers);
    ([(CACHE_CONTROL, "public, max-age=60")], axum::Json(config)).into_response()
}
