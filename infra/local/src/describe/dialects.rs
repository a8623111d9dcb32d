//! The parts of a description that apply to a whole API.

use domain::Error;
use handset_http::api::{self, Api, Device, Messenger, Reply, Rooms, SealTalk, Supabase, V1, Web};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An API.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// The tag of its operations, and the prefix of its components.
    pub tag: &'static str,
    /// The title of its description.
    pub title: &'static str,
    /// The introduction for developers of clients.
    pub about: &'static str,
    /// A sentence for its tag.
    summary: &'static str,
    /// Its error table.
    pub refuse: fn(&Error) -> Reply,
    /// The content type of its error responses.
    pub refusal_type: &'static str,
    /// The schemas of its error responses.
    pub schemas: fn() -> Map<String, Value>,
    scheme: (&'static str, fn() -> Value),
}

impl Dialect {
    /// All APIs.
    pub fn all() -> [Self; 7] {
        [messenger(), web(), sealtalk(), rooms(), device(), supabase(), v1()]
    }

    /// Whether an operation belongs to this API.
    pub fn owns(&self, operation: &Value) -> bool {
        let tag = operation["tags"][0].as_str();
        tag == Some(self.tag) || (tag == Some(KEYS) && self.tag == Messenger::NAME)
    }

    /// The name of the schema of its error responses.
    pub fn refusal(&self) -> String {
        format!("{}.Refused", self.tag)
    }

    /// The tags of its operations.
    pub fn tags(&self) -> Vec<Value> {
        let own = json!({ "name": self.tag, "description": self.summary });
        let keys =
            json!({ "name": KEYS, "description": "Public keys, with which other services check access tokens." });
        if self.tag == Messenger::NAME { vec![own, keys] } else { vec![own] }
    }

    /// The security scheme of its credential.
    pub fn security_scheme(&self) -> (String, Value) {
        (self.scheme.0.to_owned(), (self.scheme.1)())
    }
}

/// The tag of the public keys, which verify the messenger API's access tokens.
const KEYS: &str = "keys";

fn messenger() -> Dialect {
    Dialect {
        tag: Messenger::NAME,
        title: "Handset: the messenger API",
        about: concat!(include_str!("messenger.md"), include_str!("common.md")),
        summary: "The messenger API: sign-in by code, profiles, contact lookup, pictures and voice notes.",
        refuse: Messenger::refuse,
        refusal_type: Messenger::REFUSAL_TYPE,
        schemas: || named([schema::<api::messenger::Refused>()]),
        scheme: ("bearer", || {
            json!({
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `access_token` of a sign-in.",
            })
        }),
    }
}

fn web() -> Dialect {
    Dialect {
        tag: Web::NAME,
        title: "Handset: the web API",
        about: concat!(include_str!("web.md"), include_str!("common.md")),
        summary: "The web API: accounts with a password, profiles and real names, with a cookie.",
        refuse: Web::refuse,
        refusal_type: Web::REFUSAL_TYPE,
        schemas: || named([schema::<api::web::Refused>()]),
        scheme: ("web_session", || cookie(Web::COOKIE, "Set by a sign-in and by a registration.")),
    }
}

fn sealtalk() -> Dialect {
    Dialect {
        tag: SealTalk::NAME,
        title: "Handset: the SealTalk API",
        about: concat!(include_str!("sealtalk.md"), include_str!("common.md")),
        summary: "The SealTalk API: accounts, friends, groups and incremental sync, with a cookie.",
        refuse: SealTalk::refuse,
        refusal_type: SealTalk::REFUSAL_TYPE,
        schemas: || named([schema::<api::sealtalk::Refused>()]),
        scheme: ("sealtalk_session", || {
            cookie(SealTalk::COOKIE, "Set by `POST /user/login` and `POST /user/register`.")
        }),
    }
}

fn rooms() -> Dialect {
    Dialect {
        tag: Rooms::NAME,
        title: "Handset: the rooms API",
        about: concat!(include_str!("rooms.md"), include_str!("common.md")),
        summary: "The rooms API: accounts, sign-in through other services, and meeting rooms.",
        refuse: Rooms::refuse,
        refusal_type: Rooms::REFUSAL_TYPE,
        schemas: || named([schema::<api::rooms::Refused>()]),
        // The API's documentation puts the token into the body, which no security scheme can describe.
        scheme: ("rooms_token", || {
            json!({
                "type": "apiKey", "in": "query", "name": "token",
                "description": "The `token` of a sign-in, in the query or as the field `token` of the body.",
            })
        }),
    }
}

fn device() -> Dialect {
    Dialect {
        tag: Device::NAME,
        title: "Handset: the device API",
        about: concat!(include_str!("device.md"), include_str!("common.md")),
        summary: "The device API: accounts with a password, and push tokens of devices.",
        refuse: Device::refuse,
        refusal_type: Device::REFUSAL_TYPE,
        schemas: || named([schema::<api::device::Refused>()]),
        scheme: ("access_token", || {
            json!({
                "type": "apiKey", "in": "header", "name": "Access-Token",
                "description": "The `accessToken` of a sign-in. `Authorization: Bearer` works as well.",
            })
        }),
    }
}

fn supabase() -> Dialect {
    Dialect {
        tag: Supabase::NAME,
        title: "Handset: the Supabase Auth API",
        about: include_str!("supabase.md"),
        summary: "The Supabase Auth API: sign-in by code, password, Apple and Google for its client libraries.",
        refuse: Supabase::refuse,
        refusal_type: Supabase::REFUSAL_TYPE,
        schemas: || named([schema::<api::supabase::Refused>(), schema::<api::supabase::WeakPassword>()]),
        scheme: ("supabase_bearer", || {
            json!({
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `access_token` of a session.",
            })
        }),
    }
}

fn v1() -> Dialect {
    Dialect {
        tag: V1::NAME,
        title: "Handset: the common API",
        about: include_str!("v1.md"),
        summary: "The common API for new apps: accounts, sessions, people, groups, sync and media.",
        refuse: V1::refuse,
        refusal_type: V1::REFUSAL_TYPE,
        schemas: || named([schema::<api::v1::Refused>(), schema::<api::v1::FieldError>()]),
        scheme: ("v1_bearer", || {
            json!({
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `access_token` of a session of the Supabase Auth API or of the messenger API.",
            })
        }),
    }
}

fn cookie(name: &str, description: &str) -> Value {
    json!({ "type": "apiKey", "in": "cookie", "name": name, "description": description })
}

fn schema<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), <T as PartialSchema>::schema())
}

fn named<const N: usize>(schemas: [(String, RefOr<Schema>); N]) -> Map<String, Value> {
    schemas.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect()
}
