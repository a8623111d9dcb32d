//! Responses that many operations share: errors from an API's error table, and the gateway's own responses.

use domain::{Cap, Error, Fault, NotSignedIn};
use handset_http::api::{Api as _, Device, Messenger, SealTalk, Supabase, V1};
use serde_json::{Map, Value, json};

use super::dialects::Dialect;
use crate::limits::LimitExceeded;

/// The schema of the gateway's own responses.
const MESSAGE: &str = "gateway.Message";
/// The content type of most responses.
pub const JSON: &str = "application/json";

/// A response that many operations of an API share.
pub struct Common {
    /// Its name among the components.
    pub name: String,
    /// The HTTP status.
    pub status: u16,
    /// The cause of the response.
    pub description: &'static str,
    /// The error of the response; `None` for the gateway's own responses.
    pub error: Option<Error>,
    /// The bodies, by content type.
    content: Value,
}

/// The responses that operations of an API can have without a declaration.
pub fn common(dialect: &Dialect) -> Vec<Common> {
    let refused = reference(&dialect.refusal());
    let own = [
        ("BadRequest", "The request cannot be read, or a value breaks a rule.", malformed()),
        (
            "NotSignedIn",
            "Not signed in: the credential is missing, wrong or expired, or its session has ended.",
            Error::Unauthenticated(NotSignedIn::Missing),
        ),
        (
            "OtherSite",
            "A browser sent the request from a page of another site, without a preflight request before it.",
            Error::CrossSite,
        ),
        ("EncodedBody", "The body is compressed or otherwise encoded.", Error::EncodedBody),
    ];
    let shared = match dialect.tag {
        Supabase::NAME => with_statuses_of_their_own(),
        V1::NAME => vec![
            ("Invalid", "A value breaks a rule.", invalid()),
            (
                "TooLarge",
                "The body is larger than 64 KiB, or than the operation says.",
                Error::TooLarge { limit: 65_536 },
            ),
            ("Limited", "A limit was reached. Try again later.", Error::Limited { cap: Cap::Lookups, retry_after: 60 }),
        ],
        _ => Vec::new(),
    };
    let own = own.into_iter().chain(shared).filter_map(|(name, description, error)| {
        let reply = (dialect.refuse)(&error);
        let name = format!("{}.{name}", dialect.tag);
        let status = reply.status.as_u16();
        // The gateway has these statuses too.
        let also = [413, 429].contains(&status).then(|| message("Too Many Requests"));
        let content = content(dialect, &refused, reply.body, also);
        (status != 200).then_some(Common { name, status, description, error: Some(error), content })
    });
    let mut all: Vec<_> = own.chain([fault(dialect)]).collect();
    let covered: Vec<_> = all.iter().map(|common| common.status).chain([400]).collect();
    all.extend(gateway().into_iter().filter(|common| !covered.contains(&common.status)));
    all
}

/// The bodies of an error of an API, and those of the gateway if it also has the status.
fn content(dialect: &Dialect, refused: &Value, example: Value, gateways: Option<Value>) -> Value {
    let body = |schema: Value, example: Value| json!({ "schema": schema, "example": example });
    match gateways {
        None => json!({ dialect.refusal_type: body(refused.clone(), example) }),
        Some(_) if dialect.refusal_type == JSON => {
            json!({ JSON: body(json!({ "anyOf": [refused, reference(MESSAGE)] }), example) })
        }
        Some(said) => {
            json!({ dialect.refusal_type: body(refused.clone(), example), JSON: body(reference(MESSAGE), said) })
        }
    }
}

/// Errors that have the status of another cause in most APIs.
fn with_statuses_of_their_own() -> Vec<(&'static str, &'static str, Error)> {
    vec![
        (
            "Forbidden",
            "The access token is not valid, or its session or its user is gone.",
            Error::Unauthenticated(NotSignedIn::Ended),
        ),
        ("TooLarge", "The body is larger than 64 KiB.", Error::TooLarge { limit: 65_536 }),
        (
            "Limited",
            "Too many requests. Try again later.",
            Error::Limited { cap: Cap::SignInFailures, retry_after: 60 },
        ),
    ]
}

/// The headers by which clients of the Supabase API recognise an error.
pub fn add_error_headers(headers: &mut Value, dialect: &Dialect) {
    if dialect.tag == Supabase::NAME {
        for (name, about) in [
            ("X-Sb-Error-Code", "The error code."),
            ("X-Supabase-Api-Version", "`2024-01-01`, if the request has this header with this or a later date."),
        ] {
            headers[name] = json!({ "description": about, "schema": { "type": "string" } });
        }
    }
}

/// The status of an error for which waiting helps.
pub fn limited(dialect: &Dialect) -> u16 {
    (dialect.refuse)(&Error::Limited { cap: Cap::CodesToNumber, retry_after: 1 }).status.as_u16()
}

/// The header of an error for which waiting helps.
pub fn retry_after() -> Value {
    json!({ "$ref": "#/components/headers/RetryAfter" })
}

/// The `Cache-Control` header of a response if its handler declares none.
pub fn caching(status: &str, dialect: &Dialect) -> Value {
    let name = if dialect.tag == SealTalk::NAME && status == "200" { "Private" } else { "NoStore" };
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Headers that many responses share, as components.
pub fn headers(dialects: &[Dialect]) -> Map<String, Value> {
    let header = |about: &str| json!({ "description": about, "required": true, "schema": { "type": "string" } });
    let retry_after = json!({
        "description": "Seconds after which to try again; only where waiting helps.",
        "schema": { "type": "integer", "minimum": 0 },
    });
    let mut all =
        Map::from_iter([("NoStore".to_owned(), header("`no-store`.")), ("RetryAfter".to_owned(), retry_after)]);
    if dialects.iter().any(|dialect| dialect.tag == SealTalk::NAME) {
        let about = "`private`; `private, no-store` if the response has a credential.";
        all.insert("Private".to_owned(), header(about));
    }
    all
}

/// All shared responses of an API, as components.
pub fn of(dialect: &Dialect) -> Map<String, Value> {
    let refused = reference(&dialect.refusal());
    let mut all = Map::new();
    for common in common(dialect).into_iter().filter(|common| common.error.is_some()) {
        let mut response = common.response();
        // The gateway's own error responses have no `Cache-Control` header.
        response["headers"] = if matches!(common.error, Some(Error::Fault(_))) {
            json!({ "Cache-Control": { "description": "`no-store`.", "schema": { "type": "string" } } })
        } else {
            json!({ "Cache-Control": caching("", dialect) })
        };
        add_error_headers(&mut response["headers"], dialect);
        if matches!(common.error, Some(Error::EncodedBody)) {
            let about = "`identity`: send the body as it is.";
            response["headers"]["Accept-Encoding"] =
                json!({ "description": about, "schema": { "type": "string" }, "required": true });
        }
        if matches!(common.error, Some(Error::Unauthenticated(_)))
            && [Messenger::NAME, Device::NAME, V1::NAME].contains(&dialect.tag)
        {
            let about = "`Bearer`, and what is wrong with a token that was sent.";
            response["headers"]["WWW-Authenticate"] =
                json!({ "description": about, "schema": { "type": "string" }, "required": true });
        }
        if common.status == limited(dialect) {
            response["headers"]["Retry-After"] = retry_after();
        }
        all.insert(common.name, response);
    }
    let instead = Error::WrongMethod { allowed: "POST", instead: "POST /the/path" };
    for (name, description, error) in [
        ("NoSuchEndpoint", "There is no such path.", Error::NoRoute),
        ("WrongMethod", "The path does not have this method.", instead),
    ] {
        let reply = (dialect.refuse)(&error);
        let mut response = json!({
            "description": description,
            "headers": { "Cache-Control": caching("", dialect) },
            "content": content(dialect, &refused, reply.body, None),
        });
        add_error_headers(&mut response["headers"], dialect);
        if matches!(error, Error::WrongMethod { .. }) {
            let about = "The methods that the path has.";
            response["headers"]["Allow"] =
                json!({ "description": about, "schema": { "type": "string" }, "required": true });
        }
        all.insert(format!("{}.{name}", dialect.tag), response);
    }
    all
}

/// The gateway's own responses, as components.
pub fn of_gateway() -> Map<String, Value> {
    gateway().into_iter().map(|common| (common.name.clone(), common.response())).collect()
}

/// Adds the schemas that these responses need and that no handler declares.
pub fn add_schemas(schemas: &mut Map<String, Value>) {
    let message = json!({
        "description": "A response by Amazon API Gateway itself, before or instead of one by the API.",
        "type": "object",
        "properties": { "message": { "type": "string", "description": "What went wrong." } },
        "required": ["message"],
    });
    schemas.insert(MESSAGE.to_owned(), message);
}

impl Common {
    fn response(&self) -> Value {
        json!({
            "description": self.description,
            "content": self.content,
        })
    }
}

/// A failure on our side: in the API's format, or in the gateway's where the function could not respond.
fn fault(dialect: &Dialect) -> Common {
    let reply = (dialect.refuse)(&Error::Fault(Fault::new("describing", "nothing")));
    let (status, own) = (reply.status.as_u16(), reference(&dialect.refusal()));
    let gateways = message("Internal Server Error");
    let content = if status == 200 {
        json!({ JSON: { "schema": reference(MESSAGE), "example": gateways } })
    } else {
        content(dialect, &own, reply.body, Some(gateways))
    };
    Common {
        name: format!("{}.Fault", dialect.tag),
        status: if status == 200 { 500 } else { status },
        description: "An error on our side. It is logged; try again later.",
        error: Some(Error::Fault(Fault::new("describing", "nothing"))),
        content,
    }
}

fn gateway() -> Vec<Common> {
    let answers = [
        (Some(LimitExceeded::BadRequest), "The request is not valid HTTP, for example its path is not UTF-8."),
        (
            Some(LimitExceeded::TooLarge),
            "The request is too large for API Gateway: above 10 MB, or above about 4.5 MB if the body is not text.",
        ),
        (None, "Too many requests to the whole deployment. Try again after a moment."),
        (
            Some(LimitExceeded::HeadTooLarge),
            "The request line and the header values are longer than 10,240 bytes together.",
        ),
        (Some(LimitExceeded::FunctionFailed), "An error on our side."),
        (
            Some(LimitExceeded::TimedOut),
            "No response within 30 seconds, or the service is overloaded. Try again later.",
        ),
    ];
    let common = answers.into_iter().map(|(refusal, description)| {
        let throttled = (http::StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        let (status, words) = refusal.map_or(throttled, LimitExceeded::words);
        let name = format!("gateway.{}", words.replace(' ', ""));
        let content = json!({ JSON: { "schema": reference(MESSAGE), "example": message(words) } });
        Common { name, status: status.as_u16(), description, error: None, content }
    });
    common.collect()
}

/// A value that breaks a rule.
fn invalid() -> Error {
    Error::Invalid { field: "name", rule: "must have 1 to 64 characters and no control characters" }
}

/// A request that cannot be read.
pub fn malformed() -> Error {
    Error::Malformed("the body is not valid JSON".into())
}

fn message(words: &str) -> Value {
    json!({ "message": words })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
