//! The common API's part of `auth`: sessions, and the ways in which the user signs in.

mod credentials;
mod deletion;
mod sessions;

use domain::codes::Typed;
use domain::identity::Confirmation;
use domain::password::Password;
use domain::{Error, Result as DomainResult};
use handset_http::fields;
use handset_http::lenient;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().merge(credentials::router()).merge(deletion::router()).merge(sessions::router())
}

/// A further proof that the user is the owner. Not needed in the first ten minutes of a session.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::Proof, example = json!({ "code": "123456" }))]
struct Proof {
    /// A code of `GET /auth/v1/reauthenticate`, which is sent to the account's number.
    #[serde(default, deserialize_with = "lenient::optional_code")]
    #[schema(value_type = Option<fields::Code>)]
    code: Option<Typed>,
    /// The account's password.
    #[serde(default)]
    password: Option<String>,
}

impl Proof {
    fn confirmation(&self, state: &AppState) -> DomainResult<Confirmation> {
        match (&self.code, &self.password) {
            (None, None) => Ok(Confirmation::None),
            (Some(typed), None) => Ok(Confirmation::Code(state.identity.code(typed)?)),
            (None, Some(password)) => Ok(Confirmation::Password(Password::typed(password)?)),
            (Some(_), Some(_)) => Err(Error::Malformed("send either code or password".into())),
        }
    }
}
