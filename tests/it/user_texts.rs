//! Texts that users write: invisible names, open text directions, and characters as people count them.

use serde_json::{Value, json};

use crate::support::accounts::{PASSWORD, rooms_register, sealtalk_register, sealtalk_sign_in, web_register};
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run, shared};

/// Each is invisible on its own.
const NOTHING: [&str; 14] = [
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{3164}",
    "\u{2800}",
    "\u{feff}",
    "\u{180e}",
    "\u{115f}",
    "\u{34f}",
    "\u{fe0f}",
    "\u{202e}",
    "\u{e0020}",
    " \u{200b}\u{3000}\u{ad}",
];
/// Each affects the text around it.
const OPEN: [&str; 4] = ["\u{202e}moT", "Tom\u{202c}", "\u{2067}Tom", "\u{202a}Tom\u{2069}"];
const FAMILY: &str = "👨‍👩‍👧‍👦";

/// Every field with a name or a line of text, with its limit, and requests of a user who is signed in everywhere.
struct Writer {
    backend: &'static Backend,
    messenger: String,
    web: String,
    sealtalk: String,
    group: String,
    friend: String,
    rooms: (String, String),
    room: String,
}

impl Writer {
    async fn new(backend: &'static Backend) -> Self {
        let person = backend.person().await;
        let (_, web) = web_register(backend, &fresh_phone(), PASSWORD).await;
        let phone = fresh_phone();
        sealtalk_register(backend, &phone, PASSWORD).await;
        let (_, sealtalk) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        let friend = sealtalk_register(backend, &fresh_phone(), PASSWORD).await;
        let group = json!({ "name": "a group", "memberIds": [friend] });
        let group = answer(backend.post("/group/create").header("cookie", &sealtalk.0).json(&group)).await.1;
        let group = group["result"]["id"].as_str().expect("a group").to_owned();
        let rooms = rooms_register(backend, &format!("writer-{phone}"), PASSWORD, None).await;
        let room = json!({ "room_alias": format!("room-{phone}"), "token": rooms.1 });
        let room = answer(backend.post("/rooms/").json(&room)).await.1["pk"].as_str().expect("a room").to_owned();
        Self { backend, messenger: person.access_token, web: web.0, sealtalk: sealtalk.0, group, friend, rooms, room }
    }

    /// Writes a text into a field; returns whether it was accepted.
    async fn write(&self, field: &str, text: &str) -> bool {
        let b = self.backend;
        let sealtalk = |path: &str, body: Value| b.post(path).header("cookie", &self.sealtalk).json(&body);
        let (pk, token) = &self.rooms;
        let person = |name: &str| b.put(&format!("/users/{pk}/")).json(&json!({ "token": token, name: text }));
        let request = match field {
            "nickname" => b.nickname(&self.messenger, text),
            "state" => b.put("/users/me/state").bearer_auth(&self.messenger).json(&json!({ "value": text })),
            "profile" => b.patch("/users/me").bearer_auth(&self.messenger).json(&json!({ "name": text })),
            "web name" => b.put("/api/v1.0/user/name").header("cookie", &self.web).json(&json!({ "name": text })),
            "sealtalk nickname" => sealtalk("/user/set_nickname", json!({ "nickname": text })),
            "group" => sealtalk("/group/create", json!({ "name": text, "memberIds": [self.friend] })),
            "group name" => sealtalk("/group/rename", json!({ "groupId": self.group, "name": text })),
            "bulletin" => sealtalk("/group/set_bulletin", json!({ "groupId": self.group, "content": text })),
            "own name in a group" => {
                sealtalk("/group/set_display_name", json!({ "groupId": self.group, "displayName": text }))
            }
            "greeting" => sealtalk("/friendship/invite", json!({ "friendId": self.friend, "message": text })),
            "rooms nickname" => person("nickname"),
            "username" => person("username"),
            "city" => person("city"),
            "room" => b.put(&format!("/rooms/{}/", self.room)).json(&json!({ "token": token, "room_alias": text })),
            "real name" => b
                .post("/api/v1.0/user/auth")
                .header("cookie", &self.web)
                .json(&json!({ "real_name": text, "id_card": "11010519491231002X" })),
            other => panic!("{other}"),
        };
        let (status, body) = answer(request).await;
        let taken = matches!(status, 200 | 201) && body.get("errno").is_none_or(|errno| errno == "0");
        assert!(taken || matches!(status, 200 | 400), "{field} {text:?}: {status} {body}");
        taken
    }
}

/// The fields, with the most characters of each.
const FIELDS: [(&str, usize); 15] = [
    ("nickname", 64),
    ("state", 140),
    ("profile", 64),
    ("web name", 64),
    ("sealtalk nickname", 1),
    ("group", 32),
    ("group name", 32),
    ("bulletin", 1_024),
    ("own name in a group", 5),
    ("greeting", 64),
    ("rooms nickname", 64),
    ("username", 64),
    ("city", 64),
    ("room", 64),
    ("real name", 64),
];

#[test]
fn words_that_show_nothing_or_turn_the_text_around_them_are_refused_everywhere() {
    run(async {
        let writer = Writer::new(shared().await).await;
        for (field, _) in FIELDS {
            for text in NOTHING.into_iter().chain(OPEN) {
                assert!(!writer.write(field, text).await, "{field} {text:?}");
            }
        }
    });
}

#[test]
fn a_family_is_one_character_everywhere() {
    run(async {
        let writer = Writer::new(shared().await).await;
        for (field, most) in FIELDS {
            assert!(!writer.write(field, &FAMILY.repeat(most + 1)).await, "{field}");
            // A base character and endless accents are one character, but too many bytes.
            assert!(!writer.write(field, &format!("ab{}", "\u{301}".repeat(30_000))).await, "{field}");
            if most > 1 {
                assert!(writer.write(field, &FAMILY.repeat(most)).await, "{field}");
            }
        }
    });
}

#[test]
fn names_are_kept_composed() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        assert_eq!(answer(backend.nickname(&person.access_token, " Zoe\u{308} ")).await.0, 200);
        assert_eq!(backend.card(&person, &phone).await["name"], "Zo\u{eb}");
        let balanced = "\u{202a}Tom\u{202c}";
        assert_eq!(answer(backend.nickname(&person.access_token, balanced)).await.0, 200);
        assert_eq!(backend.card(&person, &phone).await["name"], balanced);
    });
}

#[test]
fn a_username_is_one_however_its_accents_are_typed() {
    run(async {
        let backend = shared().await;
        let (composed, pieces) =
            (format!("zo\u{eb}-{}", fresh_phone()), |name: &str| name.replace('\u{eb}', "e\u{308}"));
        let (pk, _) = rooms_register(backend, &pieces(&composed), PASSWORD, None).await;
        for name in [composed.clone(), pieces(&composed)] {
            let login = backend.post("/login/").json(&json!({ "username": name, "password": PASSWORD }));
            let (status, body) = answer(login).await;
            assert_eq!((status, &body["pk"], &body["username"]), (200, &json!(pk), &json!(composed)), "{name:?}");
            let again = json!({ "username": name, "password": PASSWORD, "nickname": "Tom" });
            assert_eq!(answer(backend.post("/users/").json(&again)).await.1["msg"], "this username is taken");
        }
        for hidden in ["tom\u{200b}", "\u{202d}tom\u{202c}", "t\u{ad}om"] {
            let hidden = json!({ "username": hidden, "password": PASSWORD, "nickname": "Tom" });
            let (status, body) = answer(backend.post("/users/").json(&hidden)).await;
            assert_eq!((status, &body["msg"]), (400, &json!("username has characters that cannot be seen")));
        }
    });
}

#[test]
fn a_name_of_a_provider_that_shows_nothing_keeps_nobody_out() {
    run(async {
        let backend = shared().await;
        let subject = format!("blank-{}", fresh_phone());
        let token = format!("test-{subject}");
        let query = [
            ("login_type", "1"),
            ("snsid", &subject),
            ("access_token", &token),
            ("username", "\u{3164}"),
            ("nickname", "\u{202e}moT"),
            ("icon", ""),
        ];
        let (status, body) = answer(backend.post("/snslogin/").query(&query)).await;
        assert_eq!((status, &body["nickname"], &body["username"]), (201, &json!(""), &json!("")), "{body}");
    });
}

#[test]
fn a_mark_before_json_and_capitals_in_types_change_nothing() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let marked = format!("\u{feff}{}", json!({ "zone": "86", "number": phone.0 }));
        assert_eq!(
            answer(backend.post("/verify_code").header("content-type", "Application/JSON").body(marked)).await.0,
            200
        );
        let code = backend.newest_code(&phone).await;
        let form = format!("zone=86&number={phone}&code={code}");
        let sign_in =
            backend.post("/auth/token").header("content-type", "APPLICATION/X-WWW-FORM-URLENCODED;Charset=UTF-8");
        let (status, tokens) = answer(sign_in.body(form)).await;
        assert_eq!(status, 200, "{tokens}");
        let list = format!("\u{feff}{}", json!([{ "zone": "86", "number": phone.0 }]));
        let token = tokens["access_token"].as_str().unwrap();
        let found = answer(backend.post("/users").bearer_auth(token).body(list)).await;
        assert_eq!((found.0, &found.1[0]["uid"]), (200, &tokens["uid"]));
    });
}
