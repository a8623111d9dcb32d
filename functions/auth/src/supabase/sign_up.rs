//! Creating an account by the Supabase API: with a number and a password, or anonymously.

use axum::extract::State;
use domain::account::UserId;
use domain::app_data;
use domain::codes::{AppHash, CodeRequest, Purpose, Recipients, Waiting};
use handset_http::api::supabase::codes::{Security, only_sms, without_email};
use handset_http::api::supabase::{AppBody, Refused, SupabaseResult, phone};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::fields::AppHashText;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::objects::{Session, User};
use super::user::new_password;
use super::{needed, new_session, session};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_signup))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::SignUp, example = json!({ "phone": "8613912345678", "password": "P@ssw0rd" }))]
struct SignUp {
    /// The number, with or without `+`. Without it, the account is anonymous.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    /// The password.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    password: Option<String>,
    /// The first `user_metadata`.
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

/// The user to be, or a session of an anonymous user.
#[derive(ToSchema)]
#[schema(as = supabase::SignedUp, example = super::objects::user_example)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum SignedUp {
    /// The user whose code was sent.
    User(User),
    /// The session of an anonymous user.
    Session(Session),
}

/// Create an account.
///
/// With a number and a password, a code is sent, and `POST /auth/v1/verify` creates the account. The password counts only
/// if the code is entered in the network in which the account was requested. A number that has an account gets the same
/// response and no text. Without a number, the account is anonymous, and the response is a session.
#[utoipa::path(
    post, path = "/auth/v1/signup", tag = "supabase", operation_id = "supabase_post_signup", request_body = Option<SignUp>,
    responses(
        (status = 200, description = "The user to be, or a session of an anonymous user.", body = SignedUp),
        (status = 422, description = "The password is weak, no new accounts are created, or the text message could not \
            be sent.", body = Refused),
    ),
)]
async fn post_signup(State(state): State<AppState>, origin: Origin, AppBody(given): AppBody<SignUp>) -> SupabaseResult {
    without_email(given.email.as_deref())?;
    only_sms(given.channel.as_deref())?;
    let app_hash = AppHash::from_field(given.app_hash.as_deref())?;
    let (identity, from) = (&state.identity, origin.address);
    let metadata = app_data::merge(&Map::new(), given.data.unwrap_or_default())?;
    let Some(typed) = given.phone.filter(|phone| !phone.is_empty()) else {
        if !identity.policy.anonymous_accounts {
            return Err(super::refused(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "anonymous_provider_disabled",
                "Anonymous sign-ins are disabled",
            ));
        }
        let signed_in = identity.sign_up_anonymously(metadata, from, new_session(&origin)).await?;
        return session(&state, &signed_in);
    };
    let phone = phone(&typed)?;
    let password = new_password(&needed(given.password, "Password")?)?;
    if !identity.policy.sign_ups {
        return Err(domain::Error::SignUpsClosed.into());
    }
    let now = identity.clock.now();
    let id = UserId::generate(&*identity.random);
    let waiting = Waiting {
        user: Some(id),
        password_hash: Some(password.hash(&*identity.random).await?),
        network: from.map(|from| identity.keys.network_text(from)),
        user_metadata: (!metadata.is_empty()).then(|| Value::Object(metadata.clone()).to_string()),
        ..Waiting::default()
    };
    let captcha = given.gotrue_meta_security.unwrap_or_default().captcha()?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::SignIn, from, captcha, app_hash };
    state.sender.send_to(request, Recipients::WithoutAccountSilently, waiting).await?;
    Ok(ok(User::to_be(id, phone.e164(), metadata, now)))
}
