//! Reports about users, groups and media.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::Error;
use domain::Result as DomainResult;
use domain::reports::{MediaFile, Note, Reason, Subject};
use domain::social::GroupId;
use domain::uuid::Uuid;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Making};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_report))
}

/// A report. It has exactly one of `user`, `group` and `media`.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewReport, example = json!({
    "user": "00000000-000e-8001-8000-5d71a71403f0", "reason": "spam", "note": "Sends the same link to everybody.",
}))]
struct NewReport {
    /// The id of the reported user.
    user: Option<String>,
    /// The id of the reported group.
    group: Option<String>,
    /// The name of the reported picture or voice note: the last part of its URL.
    media: Option<String>,
    /// `spam`, `harassment`, `hate`, `violence`, `sexual`, `child_safety`, `self_harm`, `fraud`, `impersonation`,
    /// `illegal_goods` or `other`.
    reason: String,
    /// What the user writes about it: up to 500 characters.
    note: Option<String>,
}

impl NewReport {
    fn subject(&self) -> DomainResult<Subject> {
        let group = |id: &str| -> DomainResult<GroupId> {
            id.parse().ok().and_then(Uuid::group).ok_or(Error::NotFound("group"))
        };
        match (&self.user, &self.group, &self.media) {
            (Some(user), None, None) => v1::user(user).map(Subject::User),
            (None, Some(id), None) => group(id).map(Subject::Group),
            (None, None, Some(name)) => MediaFile::parse(name).map(Subject::Media),
            _ => Err(Error::Malformed("send exactly one of user, group and media".into())),
        }
    }
}

/// A stored report.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Report, example = json!({ "id": "0b1f2d3c-4e5f-8008-8000-6a7b8c9d0e1f" }))]
struct Report {
    /// The report's id, a UUID.
    id: String,
}

/// Report a user, a group, a picture or a voice note to the operators.
///
/// The reported user is not notified. Operators see the report for 180 days. An account can send 20 reports a day.
#[utoipa::path(
    post, path = "/v1/reports", tag = "v1", operation_id = "v1_post_report", security(("v1_bearer" = [])),
    request_body = NewReport,
    params(("Idempotency-Key" = Option<String>, Header, description = "A new random text for each report.", example = "4a3c0c0e-8a5c-4d6e-9a59-6f0d4ae4a1c7")),
    responses(
        (status = 201, description = "Stored", body = Report),
        (status = 404, description = "No such user or group, or `media` is not the name of a picture or voice note", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
        (status = 422, description = "A value breaks a rule, or the key was used for another request", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "idempotency_key_reused",
            "detail": "this Idempotency-Key was used for another request; use a new key for each request",
        })),
    ),
)]
async fn post_report(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    Making { given, once }: Making<NewReport>,
) -> ApiResult<V1> {
    let (subject, reason) = (given.subject()?, Reason::parse(&given.reason)?);
    let note = Note::parse(given.note.as_deref().unwrap_or_default())?;
    let id = state.reports.report(caller, subject, reason, note, once.as_ref()).await?;
    Ok((StatusCode::CREATED, axum::Json(Report { id: Uuid::of_report(id).to_string() })).into_response())
}
