//! The sessions of the user, in all APIs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use domain::Error;
use domain::identity::SignOut;
use domain::session::{Session as DomainSession, SessionId};
use domain::uuid::Uuid;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Paging, Token, Variable, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_sessions, delete_sessions)).routes(routes!(delete_session))
}

fn example() -> Value {
    json!({
        "id": "07070707-0707-8002-8000-070707070707", "api": "supabase", "device": "Anna's iPhone",
        "created_at": "2026-08-21T10:00:00.000Z", "last_used_at": "2026-08-23T18:00:00.000Z",
        "expires_at": "2026-09-22T18:02:11.043Z", "current": true,
    })
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Session, example = example)]
struct Session {
    /// Its id, a UUID.
    id: String,
    /// The API that it began in, such as `supabase` or `messenger`.
    api: String,
    /// What the app or the browser said about the device: its `X-Device-Name`, or words from its `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// When it began.
    created_at: String,
    /// The hour in which it last refreshed its tokens or changed something.
    last_used_at: String,
    /// When it ends unless its tokens are refreshed.
    expires_at: String,
    /// Whether it is the session of this request.
    current: bool,
}

impl Session {
    fn new(id: SessionId, session: &DomainSession, current: SessionId) -> Self {
        Self {
            id: Uuid::of_session(id).to_string(),
            api: session.api.clone(),
            device: session.device.as_ref().map(|device| device.as_str().to_owned()),
            created_at: session.began.rfc3339(),
            last_used_at: session.last_used().rfc3339(),
            expires_at: session.expires.min(session.ends).rfc3339(),
            current: id == current,
        }
    }
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Sessions, example = json!({ "items": [example()] }))]
struct Sessions {
    /// The sessions.
    items: Vec<Session>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the current user's sessions, in all APIs.
///
/// The newest session comes first. Sessions that have ended are not listed.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "v1", operation_id = "v1_get_sessions", security(("v1_bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of sessions", body = Sessions)),
)]
async fn get_sessions(State(state): State<AppState>, token: Token, wanted: Wanted) -> ApiResult<V1> {
    let account = state.identity.account(token.caller).await?;
    if let Some(app) = token.app {
        state.identity.record_use(app, &account).await?;
    }
    let (now, current) = (state.identity.clock.now(), token.caller.session);
    let mut active: Vec<_> = account.sessions.iter().filter(|(_, session)| session.is_active(now)).collect();
    // Newest first: a place that grows while times fall.
    let place =
        |(id, session): &(&SessionId, &DomainSession)| format!("{:016x}{id}", i64::MAX - session.began.millis());
    active.sort_by_key(place);
    let page = wanted.page(active, place)?;
    let items = page.items.into_iter().map(|(id, session)| Session::new(*id, session, current)).collect();
    Ok(ok(Sessions { items, next_cursor: page.next_cursor }))
}

/// Which sessions to end.
#[derive(Deserialize)]
struct Scope {
    scope: Option<String>,
}

/// End all other sessions of the current user, in all APIs.
///
/// Their tokens stop working at once.
#[utoipa::path(
    delete, path = "/v1/sessions", tag = "v1", operation_id = "v1_delete_sessions", security(("v1_bearer" = [])),
    params(("scope" = String, Query, description = "Always `others`.", example = "others")),
    responses((status = 204, description = "Ended")),
)]
async fn delete_sessions(State(state): State<AppState>, Signed(caller, _): Signed<V1>, parts: Parts) -> ApiResult<V1> {
    let Scope { scope } = v1::query(&parts)?;
    if scope.as_deref() != Some("others") {
        return Err(Error::Invalid { field: "scope", rule: "must be others" }.into());
    }
    state.identity.sign_out_of(caller, SignOut::Others).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// End a session of the current user, in any API.
///
/// Its tokens stop working at once.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "v1", operation_id = "v1_delete_session", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The session's id, or `current`.", example = "07070707-0707-8002-8000-070707070707")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "The user has no such session", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such session",
        })),
    ),
)]
async fn delete_session(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    let session = match id.0.as_str() {
        "current" => caller.session,
        _ => id.uuid().and_then(Uuid::session).ok_or(Error::NotFound("session"))?,
    };
    state.identity.end_session_of(caller, session).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
