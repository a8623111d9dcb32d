//! Sessions, users and identities as the clients of the Supabase API know them.
//!
//! A field without a value is left out, never null: some client libraries fail on null.

use domain::Result;
use domain::account::{Account, UserId};
use domain::clock::Timestamp;
use domain::identity::SignedIn;
use domain::session::{Session as DomainSession, SignInMethod};
use domain::tokens::app::{AUDIENCE, AppToken};
use domain::uuid::Uuid;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::AppState;

/// `user_metadata` above this size in bytes is not in the access token, because the gateway limits headers.
const CLAIM_BYTES: usize = 1_024;

/// The tokens of a session, and its user.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::Session, example = json!({
    "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9…", "token_type": "bearer", "expires_in": 3600,
    "expires_at": 1_796_095_916, "refresh_token": "AA5dcacUA_B7UBO8…", "user": user_example(),
}))]
pub(super) struct Session {
    /// A JWT, signed with ES256. Send it as `Authorization: Bearer <access_token>`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// Seconds for which the access token is valid.
    expires_in: u64,
    /// When the access token expires, in seconds since 1970.
    expires_at: i64,
    /// Send it to `POST /auth/v1/token?grant_type=refresh_token` to get new tokens.
    refresh_token: String,
    user: User,
}

impl Session {
    /// The session of a sign-in.
    pub(super) fn of(state: &AppState, signed_in: &SignedIn) -> Result<Self> {
        let identity = &state.identity;
        let (now, ttl) = (identity.clock.now(), identity.policy.access_token_ttl);
        let account = &signed_in.account;
        let user = User::of(account);
        let expires = now.plus(ttl).seconds();
        let session = account.sessions.get(&signed_in.caller.session);
        let token = AppToken { caller: signed_in.caller, generation: signed_in.generation, expires };
        let access_token = identity.keys.app_token(token, &user.id, &Shown::of(&user, session), now)?;
        Ok(Self {
            access_token,
            token_type: "bearer",
            expires_in: u64::try_from(expires - now.seconds()).unwrap_or(1).max(1),
            expires_at: expires,
            refresh_token: identity.refresh_token(signed_in),
            user,
        })
    }
}

/// The claims of an access token that only clients read.
#[derive(Serialize)]
struct Shown<'a> {
    role: &'static str,
    phone: &'a str,
    email: &'a str,
    is_anonymous: bool,
    aal: &'static str,
    amr: Vec<Value>,
    app_metadata: &'a Map<String, Value>,
    user_metadata: Map<String, Value>,
}

impl<'a> Shown<'a> {
    fn of(user: &'a User, session: Option<&DomainSession>) -> Self {
        let method = session.and_then(|session| session.method).unwrap_or(SignInMethod::Code);
        let began = session.map_or(0, |session| session.began.seconds());
        let fits = serde_json::to_vec(&user.user_metadata).is_ok_and(|json| json.len() <= CLAIM_BYTES);
        Self {
            role: AUDIENCE,
            phone: &user.phone,
            email: &user.email,
            is_anonymous: user.is_anonymous,
            aal: "aal1",
            amr: vec![json!({ "method": method.name(), "timestamp": began })],
            app_metadata: &user.app_metadata,
            user_metadata: if fits { user.user_metadata.clone() } else { Map::new() },
        }
    }
}

pub(super) fn user_example() -> Value {
    let id = "00000000-000e-8001-8000-5d71a71403f0";
    let at = "2026-08-21T10:00:00.000Z";
    json!({
        "id": id, "aud": "authenticated", "role": "authenticated", "email": "", "phone": "8613912345678",
        "phone_confirmed_at": at, "confirmed_at": at, "last_sign_in_at": at, "created_at": at, "updated_at": at,
        "app_metadata": { "provider": "phone", "providers": ["phone"] }, "user_metadata": { "theme": "dark" },
        "identities": [{
            "identity_id": "d52ee8c6-8353-8003-8000-26eb85cd4c63", "id": id, "user_id": id,
            "identity_data": { "sub": id, "phone": "8613912345678", "phone_verified": true, "email_verified": false },
            "provider": "phone", "created_at": at, "updated_at": at, "last_sign_in_at": at,
        }],
        "is_anonymous": false,
    })
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::User, example = user_example)]
#[expect(clippy::struct_field_names, reason = "the client libraries' names")]
pub(super) struct User {
    /// The user's id, a UUID.
    id: String,
    /// Always `authenticated`.
    aud: &'static str,
    /// Always `authenticated`.
    role: &'static str,
    /// The e-mail address that a sign-in provider confirms; empty if none does. Nobody can sign in with it.
    pub(super) email: String,
    /// The phone number in E.164 without `+`; empty if the account has none.
    phone: String,
    /// The number that the account gets when its code is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_change_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reauthentication_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    created_at: String,
    updated_at: String,
    /// `provider` and `providers`, and what operators store.
    app_metadata: Map<String, Value>,
    /// What the app stores for the user.
    user_metadata: Map<String, Value>,
    /// The ways in which the user signs in.
    identities: Vec<Identity>,
    is_anonymous: bool,
}

/// A way in which a user signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::Identity)]
#[expect(clippy::struct_field_names, reason = "the client libraries' names")]
pub(super) struct Identity {
    /// The identity's id, a UUID.
    identity_id: String,
    /// The provider's id of the user; the user's own id for a phone number and a username.
    id: String,
    user_id: String,
    /// What the provider says about the user.
    identity_data: Map<String, Value>,
    /// `phone`, `username`, or the name of a sign-in provider.
    provider: &'static str,
    created_at: String,
    updated_at: String,
    last_sign_in_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl User {
    /// The user of an account that was read with its data of this API.
    pub(super) fn of(account: &Account) -> Self {
        let identities = identities(account);
        let providers: Vec<_> = identities.iter().map(|identity| identity.provider).collect();
        let mut app_metadata = account.app.app_metadata.clone();
        if let Some(first) = providers.first() {
            app_metadata.insert("provider".to_owned(), json!(first));
            app_metadata.insert("providers".to_owned(), json!(providers));
        }
        let phone = account.phone.as_deref().map(without_plus).unwrap_or_default();
        let proved = (!phone.is_empty()).then(|| account.phone_proved.unwrap_or(account.created).rfc3339());
        let signed_in = account.sessions.values().map(|session| session.began).max();
        let updated = [account.updated, account.app.updated].into_iter().flatten().max().unwrap_or(account.created);
        let (new_phone, asked) = account.app.new_phone.clone().unzip();
        Self {
            id: Uuid::of_user(account.id).to_string(),
            aud: AUDIENCE,
            role: AUDIENCE,
            email: identities.iter().find_map(|identity| identity.email.clone()).unwrap_or_default(),
            phone,
            new_phone: new_phone.as_deref().map(without_plus),
            phone_change_sent_at: asked.map(Timestamp::rfc3339),
            reauthentication_sent_at: account.app.reauthentication_sent.map(Timestamp::rfc3339),
            confirmation_sent_at: None,
            phone_confirmed_at: proved.clone(),
            confirmed_at: proved,
            last_sign_in_at: signed_in.map(Timestamp::rfc3339),
            created_at: account.created.rfc3339(),
            updated_at: updated.rfc3339(),
            app_metadata,
            user_metadata: account.app.user_metadata.clone(),
            is_anonymous: account.is_anonymous(),
            identities,
        }
    }

    /// The user of a sign-up whose code was not entered yet.
    pub(super) fn to_be(id: UserId, phone: &str, user_metadata: Map<String, Value>, now: Timestamp) -> Self {
        let (uuid, phone) = (Uuid::of_user(id).to_string(), without_plus(phone));
        let identity = phone_identity(id, &uuid, &phone, false, (now, now));
        Self {
            aud: AUDIENCE,
            role: AUDIENCE,
            email: String::new(),
            phone,
            new_phone: None,
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            confirmation_sent_at: Some(now.rfc3339()),
            phone_confirmed_at: None,
            confirmed_at: None,
            last_sign_in_at: None,
            created_at: now.rfc3339(),
            updated_at: now.rfc3339(),
            app_metadata: Map::from_iter([
                ("provider".to_owned(), json!("phone")),
                ("providers".to_owned(), json!(["phone"])),
            ]),
            user_metadata,
            identities: vec![identity],
            is_anonymous: false,
            id: uuid,
        }
    }
}

fn identities(account: &Account) -> Vec<Identity> {
    let (id, uuid) = (account.id, Uuid::of_user(account.id).to_string());
    let last = account.sessions.values().map(|session| session.began).max().unwrap_or(account.created);
    let phone = account.phone.as_deref().map(|phone| {
        let since = account.phone_proved.unwrap_or(account.created);
        phone_identity(id, &uuid, &without_plus(phone), true, (since, last))
    });
    let username = account.username.as_ref().map(|name| Identity {
        identity_id: Uuid::of_identity(id, "username", &uuid).to_string(),
        id: uuid.clone(),
        user_id: uuid.clone(),
        identity_data: Map::from_iter([
            ("sub".to_owned(), json!(uuid)),
            ("username".to_owned(), json!(name)),
            ("email_verified".to_owned(), json!(false)),
            ("phone_verified".to_owned(), json!(false)),
        ]),
        provider: "username",
        created_at: account.created.rfc3339(),
        updated_at: account.created.rfc3339(),
        last_sign_in_at: last.rfc3339(),
        email: None,
    });
    let linked = account.linked.iter().map(|linked| {
        let (provider, subject) = (linked.provider.name(), linked.subject.as_str());
        let mut said = account.app.identities.get(provider).cloned().unwrap_or_default();
        said.insert("sub".to_owned(), json!(subject));
        // Only an address that the provider vouches for.
        let verified = said.get("email_verified").is_some_and(|verified| *verified == true || *verified == "true");
        let email = said.get("email").and_then(Value::as_str).filter(|_| verified).map(str::to_owned);
        Identity {
            identity_id: Uuid::of_identity(id, provider, subject).to_string(),
            id: subject.to_owned(),
            user_id: uuid.clone(),
            identity_data: said,
            provider,
            created_at: linked.since.rfc3339(),
            updated_at: linked.since.rfc3339(),
            last_sign_in_at: last.max(linked.since).rfc3339(),
            email,
        }
    });
    let mut all: Vec<_> = phone.into_iter().chain(username).chain(linked).collect();
    // In the order in which they were added. Times in this form sort like text.
    all.sort_by(|one, other| one.created_at.cmp(&other.created_at));
    all
}

fn phone_identity(
    id: UserId,
    uuid: &str,
    phone: &str,
    verified: bool,
    (since, last): (Timestamp, Timestamp),
) -> Identity {
    Identity {
        identity_id: Uuid::of_identity(id, "phone", uuid).to_string(),
        id: uuid.to_owned(),
        user_id: uuid.to_owned(),
        identity_data: Map::from_iter([
            ("sub".to_owned(), json!(uuid)),
            ("phone".to_owned(), json!(phone)),
            ("phone_verified".to_owned(), json!(verified)),
            ("email_verified".to_owned(), json!(false)),
        ]),
        provider: "phone",
        created_at: since.rfc3339(),
        updated_at: since.rfc3339(),
        last_sign_in_at: last.rfc3339(),
        email: None,
    }
}

fn without_plus(phone: &str) -> String {
    phone.trim_start_matches('+').to_owned()
}
