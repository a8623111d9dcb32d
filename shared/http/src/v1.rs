//! What the handlers of the common API (`/v1`) share: bodies, ids in paths, pages of lists, entity tags, and requests
//! that a client may repeat.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Query, Request};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::IF_MATCH;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::api::v1::app_token;
use super::api::{Api, Refusal, V1};
use super::verifier::TokenVerifier;
use super::{body, decode};
use domain::account::{Caller, UserId};
use domain::once::Once;
use domain::social::GroupId;
use domain::tokens::app::AppToken;
use domain::uuid::Uuid;
use domain::{Error, Result};

/// Maximum size of a body in bytes. The 500 members of a group fit.
const BODY_LIMIT: usize = 64 * 1024;

/// Maximum size in bytes of a picture or voice note in the body of a request. The gateway and Lambda take no more than
/// about 4.5 MB of binary data.
pub const UPLOAD_LIMIT: usize = 4 * 1024 * 1024;

/// The header by which a client may repeat a request without doing it twice.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Maximum size in bytes of a body with a long list. An address book of 5,000 numbers with 100 bytes each fits.
pub const LIST_LIMIT: usize = 512 * 1024;

/// The fields of a body of at most so many bytes: a JSON object, whatever its content type. No body is an empty object.
#[derive(Clone, Copy, Debug)]
pub struct Fields<T, const LIMIT: usize = BODY_LIMIT>(pub T);

impl<T: DeserializeOwned, S: Send + Sync, const LIMIT: usize> FromRequest<S> for Fields<T, LIMIT> {
    type Rejection = Refusal<V1>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<V1>> {
        let bytes = body::read(request.into_body(), LIMIT).await?;
        Ok(Self(read(&bytes)?))
    }
}

/// The fields in these bytes.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let bytes = body::without_mark(bytes);
    let fields = if bytes.trim_ascii().is_empty() { Value::Object(Map::new()) } else { decode::json(bytes)? };
    if !fields.is_object() {
        return Err(Error::Malformed("the body must be a JSON object".into()));
    }
    decode::read(&fields)
}

/// The fields of a request that makes something, and its `Idempotency-Key` if it has one.
#[derive(Clone, Debug)]
pub struct Making<T> {
    /// The fields.
    pub given: T,
    /// The key, bound to this request.
    pub once: Option<Once>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Making<T> {
    type Rejection = Refusal<V1>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<V1>> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(body, BODY_LIMIT).await?;
        Ok(Self { given: read(&bytes)?, once: once(&parts, &bytes)? })
    }
}

/// The `Idempotency-Key` of a request with this body, if it has one.
pub fn once(parts: &Parts, body: &[u8]) -> Result<Option<Once>> {
    let Some(key) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // A value that is not ASCII breaks the rule of keys.
    let key = key.to_str().unwrap_or_default();
    Once::new(key, &[parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), body]).map(Some)
}

/// A field of a merge patch (RFC 7396): absent, null, or with a value. With `#[serde(default, deserialize_with =
/// "v1::nullable")]`, the outer option says whether the field is there.
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A request that is signed in, with what its access token says.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// The user and the session.
    pub caller: Caller,
    /// The token's content, if it is one of the Supabase API.
    pub app: Option<AppToken>,
}

impl<S: Send + Sync> FromRequestParts<S> for Token
where
    TokenVerifier: FromRef<S>,
{
    type Rejection = Refusal<V1>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<V1>> {
        let verifier = TokenVerifier::from_ref(state);
        let app = app_token(parts, &verifier)?;
        let caller = app.map_or_else(|| V1::caller(parts, &verifier), |app| Ok(app.caller))?;
        Ok(Self { caller, app })
    }
}

/// A variable of the path.
#[derive(Clone, Debug)]
pub struct Variable(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Variable {
    type Rejection = Refusal<V1>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<V1>> {
        let unreadable = |_| Refusal::from(Error::NoRoute);
        Path::from_request_parts(parts, state).await.map(|Path(text)| Self(text)).map_err(unreadable)
    }
}

impl Variable {
    /// The UUID in the path; `None` if there is none.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        self.0.parse().ok()
    }

    /// The user whose UUID is in the path.
    pub fn user(&self) -> Result<UserId> {
        user(&self.0)
    }

    /// The group whose UUID is in the path.
    pub fn group(&self) -> Result<GroupId> {
        self.uuid().and_then(Uuid::group).ok_or(Error::NotFound("group"))
    }
}

/// Both variables of a path that has two.
#[derive(Clone, Debug)]
pub struct TwoVariables(pub Variable, pub Variable);

impl<S: Send + Sync> FromRequestParts<S> for TwoVariables {
    type Rejection = Refusal<V1>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<V1>> {
        let unreadable = |_| Refusal::from(Error::NoRoute);
        let both: std::result::Result<Path<(String, String)>, _> = Path::from_request_parts(parts, state).await;
        both.map(|Path((first, second))| Self(Variable(first), Variable(second))).map_err(unreadable)
    }
}

/// A value whose rule the domain states under another name than that of the field in this API.
pub fn of_field<T>(field: &'static str, parsed: Result<T>) -> Result<T> {
    parsed.map_err(|error| match error {
        Error::Invalid { rule, .. } => Error::Invalid { field, rule },
        other => other,
    })
}

/// The user with this UUID, which a client sent.
pub fn user(text: &str) -> Result<UserId> {
    text.parse().ok().and_then(Uuid::user).ok_or(Error::NotFound("user"))
}

/// Which page of a list is asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Maximum number of entries of the page: 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50, example = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before. Without it, the list starts at its beginning.
    #[param(example = "MQ")]
    cursor: Option<String>,
}

/// The error for a cursor that we did not issue.
pub const NO_CURSOR: Error = Error::Invalid { field: "cursor", rule: "must be the next_cursor of an earlier response" };

/// A page of a list that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Maximum number of entries.
    pub limit: usize,
    /// The place of the last entry of the page before.
    pub after: Option<String>,
}

impl Wanted {
    /// Maximum number of entries of one page.
    pub const MOST: usize = 200;
    /// The number of entries if the client names none.
    pub const USUAL: usize = 50;

    fn of(paging: Paging) -> Result<Self> {
        let limit = match paging.limit {
            None => Self::USUAL,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=Self::MOST).contains(limit));
                limit.ok_or(Error::Invalid { field: "limit", rule: "must be a number from 1 to 200" })?
            }
        };
        Ok(Self { limit, after: Self::after(paging.cursor)? })
    }

    /// The place that a cursor stands for.
    pub fn after(cursor: Option<String>) -> Result<Option<String>> {
        let decode = |text: String| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(NO_CURSOR)
        };
        cursor.map(decode).transpose()
    }

    /// The place as a number.
    pub fn after_number<N: std::str::FromStr>(&self) -> Result<Option<N>> {
        self.after.as_ref().map(|after| after.parse().map_err(|_| NO_CURSOR)).transpose()
    }

    /// The page of a list whose entries are in the order of `place`.
    pub fn page<T, P: Ord + ToString + std::str::FromStr>(
        &self,
        entries: impl IntoIterator<Item = T>,
        place: impl Fn(&T) -> P,
    ) -> Result<Page<T>> {
        let after: Option<P> = self.after_number()?;
        let rest = entries.into_iter().filter(|entry| after.as_ref().is_none_or(|after| place(entry) > *after));
        let mut items: Vec<_> = rest.take(self.limit + 1).collect();
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor(&place(last).to_string()));
        Ok(Page { items, next_cursor })
    }
}

/// A place in a list as clients get it: opaque, so that its form can change.
#[must_use]
pub fn cursor(place: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(place)
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Refusal<V1>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Refusal<V1>> {
        Ok(Self::of(query(parts)?)?)
    }
}

/// The query of a request as a wire type.
pub fn query<T: DeserializeOwned>(parts: &Parts) -> Result<T> {
    let unreadable = |_| Error::Malformed("the query cannot be read".into());
    Query::try_from_uri(&parts.uri).map(|Query(query)| query).map_err(unreadable)
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The version of a thing that a change is meant for (`If-Match`): `None` for any version.
pub fn if_match(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default().trim();
    if value == "*" {
        return Ok(None);
    }
    if value.contains(',') {
        return Err(Error::Malformed("send one entity tag in If-Match".into()));
    }
    let version = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')?.parse().ok());
    // A tag that we never issued matches no version.
    version.map(Some).ok_or(Error::ConditionFailed)
}

/// The entity tag of a version.
#[must_use]
pub fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(limit: Option<&str>, after: Option<&str>) -> Result<Wanted> {
        Wanted::of(Paging { limit: limit.map(str::to_owned), cursor: after.map(str::to_owned) })
    }

    #[test]
    fn pages_of_a_list_are_the_whole_list() {
        let all: Vec<u64> = (1..=7).map(|n| n * 10).collect();
        let (mut seen, mut next) = (Vec::new(), None::<String>);
        loop {
            let page = wanted(Some("3"), next.as_deref()).unwrap().page(all.clone(), |n| *n).unwrap();
            assert!(page.items.len() <= 3);
            seen.extend(page.items);
            next = page.next_cursor;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        let exact = wanted(Some("7"), None).unwrap().page(all.clone(), |n| *n).unwrap();
        assert_eq!((exact.items.len(), exact.next_cursor), (7, None));
    }

    #[test]
    fn a_page_has_a_limit_and_a_cursor_of_ours() {
        for bad in ["0", "201", "-1", "x", ""] {
            assert!(wanted(Some(bad), None).is_err(), "{bad:?}");
        }
        assert_eq!(wanted(None, None).unwrap(), Wanted { limit: 50, after: None });
        for bad in ["", "!", "/w"] {
            assert!(wanted(None, Some(bad)).is_err(), "{bad:?}");
        }
        let foreign = wanted(None, Some(&cursor("x"))).unwrap();
        assert!(foreign.page([1_u64], |n| *n).is_err());
    }

    #[test]
    fn a_change_may_be_meant_for_one_version() {
        let headers = |value: &'static str| HeaderMap::from_iter([(IF_MATCH, http::HeaderValue::from_static(value))]);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(if_match(&headers("*")).unwrap(), None);
        assert_eq!(if_match(&headers("\"7\"")).unwrap(), Some(7));
        for other in ["W/\"7\"", "7", "\"x\"", "\"\"", "\""] {
            assert!(matches!(if_match(&headers(other)), Err(Error::ConditionFailed)), "{other}");
        }
        assert!(matches!(if_match(&headers("\"7\", \"8\"")), Err(Error::Malformed(_))));
    }

    #[test]
    fn a_field_of_a_patch_is_absent_or_null_or_there() {
        #[derive(Deserialize)]
        #[expect(clippy::option_option, reason = "a field is absent, null or a value")]
        struct Patch {
            #[serde(default, deserialize_with = "nullable")]
            state: Option<Option<String>>,
        }
        let state = |json: &str| read::<Patch>(json.as_bytes()).unwrap().state;
        assert_eq!((state("{}"), state("")), (None, None));
        assert_eq!(state(r#"{"state":null}"#), Some(None));
        assert_eq!(state(r#"{"state":"a"}"#), Some(Some("a".to_owned())));
        assert!(read::<Patch>(b"[]").is_err());
    }
}
