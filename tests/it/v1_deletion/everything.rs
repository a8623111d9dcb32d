//! An account that has one of everything, and the search for what is left of it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::short_id;
use domain::uuid::Uuid;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::accounts::{
    Cookie, PASSWORD, device_sign_in, rooms_by_code, sealtalk_register, sealtalk_sign_in, web_sign_in,
};
use crate::support::backend::{answer, whole};
use crate::support::pictures::jpeg;
use crate::support::users::Person;
use crate::support::{Backend, Phone, fresh_phone};
use crate::v1_account::{sign_in, with};

/// Another user.
pub struct Other {
    pub id: String,
    pub cookie: Cookie,
    /// The version of the last sync.
    pub version: u64,
}

/// An account that has one of everything.
pub struct Filled {
    pub user: u64,
    pub phone: Phone,
    pub short: String,
    pub session: Value,
    pub messenger: Person,
    pub sealtalk: Cookie,
    pub web: Cookie,
    pub device: (u64, String),
    pub rooms: String,
    pub friend: Other,
    /// A group that the account owns and the friend is in.
    pub shared_group: String,
    /// Words that only this account knows.
    pub words: Vec<String>,
}

async fn ok(request: reqwest::RequestBuilder) -> Value {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    answer.body
}

async fn other(backend: &Backend) -> Other {
    let phone = fresh_phone();
    let id = sealtalk_register(backend, &phone, PASSWORD).await;
    let (_, cookie) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("a session");
    Other { id, cookie, version: 0 }
}

/// Makes an account that has one of everything.
pub async fn fill(backend: &Backend) -> Filled {
    let phone = fresh_phone();
    let short = sealtalk_register(backend, &phone, PASSWORD).await;
    let user: domain::account::UserId = short_id::decode(&short).expect("an id");
    let user = user.get();
    let (_, sealtalk) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("a session");
    let web = web_sign_in(backend, &phone, PASSWORD).await.expect("a session").1;
    let device = device_sign_in(backend, &phone, PASSWORD).await.expect("a session");
    backend.advance(Duration::from_mins(1));
    let messenger = backend.person_on(&phone).await;
    backend.advance(Duration::from_mins(1));
    let (_, rooms) = rooms_by_code(backend, &phone).await;
    backend.advance(Duration::from_mins(1));
    let session = sign_in(backend, &phone).await;
    assert_eq!(session["user"]["id"], json!(Uuid::of_user(domain::account::UserId::new(user).unwrap()).to_string()));

    // The profile, in every API.
    ok(with(&session, backend.patch("/v1/me")).json(&json!({ "name": "Xanthippe", "state": "Quixotic" }))).await;
    let data = with(&session, backend.put("/auth/v1/user")).json(&json!({ "data": { "theme": "Zarathustra" } }));
    ok(data).await;
    let real = backend.post("/api/v1.0/user/auth").header("cookie", &web.0);
    ok(real.json(&json!({ "real_name": "王小明", "id_card": "11010519491231002X" }))).await;
    ok(backend.put("/v1/me/devices/current").bearer_auth(token(&session)).json(&json!({
        "platform": "ios", "token": "c0ffee00c0ffee00",
    })))
    .await;
    ok(backend.put(&format!("/users/{user}/")).json(&json!({ "token": rooms, "city": "Ouagadougou" }))).await;
    // Media.
    backend.post_image(&messenger, jpeg(300, 200)).await;
    backend.put_avatar(&messenger, jpeg(200, 200)).await;
    backend.post_audio(&messenger, b"#!AMR\n\x3c\x91".to_vec()).await;
    // Counters: a wrong password, a look-up.
    let wrong = backend.post("/user/change_password").header("cookie", &sealtalk.0);
    let wrong = wrong.json(&json!({ "oldPassword": "not-this-one", "newPassword": "another-one" }));
    assert_ne!(answer(wrong).await.1["code"], 200);
    ok(backend.look_up(&messenger, &json!([{ "zone": "86", "number": "13800000000" }]))).await;

    // People: a friend, one who asks, one who is blocked, one who blocks.
    let (mut friend, asking, blocked, blocking) =
        (other(backend).await, other(backend).await, other(backend).await, other(backend).await);
    let post = |who: &Cookie, path: &str, body: Value| backend.post(path).header("cookie", &who.0).json(&body);
    ok(post(&sealtalk, "/friendship/invite", json!({ "friendId": friend.id, "message": "Wolpertinger" }))).await;
    ok(post(&friend.cookie, "/friendship/agree", json!({ "friendId": short }))).await;
    ok(post(
        &sealtalk,
        "/friendship/set_display_name",
        json!({ "friendId": friend.id, "displayName": "Bandersnatch" }),
    ))
    .await;
    ok(post(&asking.cookie, "/friendship/invite", json!({ "friendId": short, "message": "hello" }))).await;
    ok(post(&sealtalk, "/user/add_to_blacklist", json!({ "friendId": blocked.id }))).await;
    ok(post(&blocking.cookie, "/user/add_to_blacklist", json!({ "friendId": short }))).await;
    // Groups: of the account with the friend, of the account alone, of somebody else.
    let group = |made: Value| made["result"]["id"].as_str().expect("an id").to_owned();
    let shared_group =
        group(ok(post(&sealtalk, "/group/create", json!({ "name": "shared", "memberIds": [friend.id] }))).await);
    ok(post(&sealtalk, "/group/create", json!({ "name": "alone", "memberIds": [] }))).await;
    let theirs =
        group(ok(post(&friend.cookie, "/group/create", json!({ "name": "theirs", "memberIds": [short] }))).await);
    ok(post(&sealtalk, "/group/set_display_name", json!({ "groupId": theirs, "displayName": "Jabberwock" }))).await;
    // A report, and a group that a client may ask for again.
    let friends_uuid = Uuid::of_user(short_id::decode(&friend.id).expect("an id")).to_string();
    let report = with(&session, backend.post("/v1/reports")).header("Idempotency-Key", "report-1");
    ok(report.json(&json!({ "user": friends_uuid, "reason": "spam", "note": "Galumphing" }))).await;
    // A room besides the account's own one.
    ok(backend.post("/rooms/").json(&json!({ "room_alias": "Brillig and slithy", "token": rooms }))).await;
    // What devices were sent.
    ok(backend.get("/user/sync/0").header("cookie", &sealtalk.0)).await;
    let sync = ok(backend.get("/user/sync/0").header("cookie", &friend.cookie.0)).await;
    friend.version = sync["version"].as_u64().or_else(|| sync["result"]["version"].as_u64()).unwrap_or_default();
    // Another number that waits for its code.
    backend.advance(Duration::from_mins(1));
    let next = fresh_phone();
    ok(with(&session, backend.put("/auth/v1/user")).json(&json!({ "phone": next.e164() }))).await;
    backend.settled().await;

    let mut words: Vec<_> = [
        "Galumphing",
        "Xanthippe",
        "Quixotic",
        "Zarathustra",
        "Ouagadougou",
        "c0ffee00",
        "Wolpertinger",
        "Bandersnatch",
        "Jabberwock",
        "Brillig and slithy",
    ]
    .map(str::to_owned)
    .into();
    let media = backend.items(&format!("user#{user}")).await;
    let names = media.iter().filter_map(|item| item["sk"].as_s().ok()?.strip_prefix("media#").map(str::to_owned));
    words.extend(names);
    assert!(words.len() >= 12, "{words:?}");
    Filled { user, phone, short, session, messenger, sealtalk, web, device, rooms, friend, shared_group, words }
}

fn token(session: &Value) -> &str {
    session["access_token"].as_str().expect("a token")
}

/// Everything that the table and the bucket still have of an account, except what may stay: the tombstone; the bare id in
/// others' relations, groups and rosters; the sending limits of the number.
pub async fn left_of(backend: &Backend, filled: &Filled) -> BTreeSet<String> {
    let mut left = BTreeSet::new();
    let (id, phone) = (filled.user.to_string(), filled.phone.e164());
    for item in backend.items_below("").await {
        let key = format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
        let all = format!("{item:?}");
        if let Some(word) = filled.words.iter().find(|word| all.contains(*word)) {
            left.insert(format!("{key} has {word}"));
        }
        let own = item["pk"].as_s().unwrap() == &format!("user#{id}");
        let bare = own && item.contains_key("deleted") && item.contains_key("ttl") && item.len() == 5;
        let of_others = key.contains(&format!("friend#{id}")) && item.contains_key("ttl")
            || key.starts_with("group#") && !key.ends_with("bulletin");
        let limits = key.starts_with(&format!("phone#{phone}")) && item.contains_key("ttl");
        let names_it = item.values().any(|value| value.as_n() == Ok(&id)) || key.contains(&id);
        if (own && !bare) || (names_it && !own && !of_others) || (all.contains(&phone) && !limits) {
            left.insert(key);
        }
    }
    for object in backend.objects().await {
        if filled.words.iter().any(|word| object.contains(word.as_str())) {
            left.insert(object);
        }
    }
    left
}

/// The page's own requests: a code to the number, and the deletion with the session that it begins.
#[test]
fn the_page_for_users_without_the_app_is_served_with_a_strict_policy() {
    crate::support::run(async {
        let backend = crate::support::shared().await;
        let page = backend.request(Method::GET, "/account/delete").send().await.expect("a page");
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let text = page.text().await.expect("text");
        assert!(text.contains("<script src=\"/account/delete.js\">") && !text.contains("<script>"));
        let script = backend.request(Method::GET, "/account/delete.js").send().await.expect("a script");
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    });
}
