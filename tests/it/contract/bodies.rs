//! A body that the description requires.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{APIS, Operation, description, operations};
use crate::support::accounts::{
    device_register, device_sign_in, rooms_by_code, sealtalk_register, sealtalk_sign_in, web_register,
};
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run, shared};

const PASSWORD: &str = "P@ssw0rd-1";

/// The credential of a signed-in caller of an API, and the id in the paths of their own account.
struct Caller {
    header: Option<(&'static str, String)>,
    token: Option<String>,
    id: String,
}

impl Caller {
    async fn of(backend: &Backend, api: &str) -> Self {
        let phone = fresh_phone();
        let (header, token, id) = match api {
            "messenger" => {
                let person = backend.person_on(&phone).await;
                (Some(("authorization", format!("Bearer {}", person.access_token))), None, String::new())
            }
            "web" => (Some(("cookie", web_register(backend, &phone, PASSWORD).await.1.0)), None, String::new()),
            "sealtalk" => {
                sealtalk_register(backend, &phone, PASSWORD).await;
                let (id, cookie) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("a session");
                (Some(("cookie", cookie.0)), None, id)
            }
            "rooms" => {
                let (id, token) = rooms_by_code(backend, &phone).await;
                (None, Some(token), id)
            }
            "device" => {
                device_register(backend, &phone, PASSWORD).await;
                let (id, token) = device_sign_in(backend, &phone, PASSWORD).await.expect("a session");
                (Some(("access-token", token)), None, id.to_string())
            }
            "supabase" | "v1" => {
                let asked = json!({ "phone": format!("86{phone}") });
                assert_eq!(answer(backend.post("/auth/v1/otp").json(&asked)).await.0, 200);
                let code = backend.newest_code(&phone).await;
                let entered = json!({ "type": "sms", "phone": format!("86{phone}"), "token": code });
                let (_, session) = answer(backend.post("/auth/v1/verify").json(&entered)).await;
                let token = session["access_token"].as_str().expect("a token").to_owned();
                (Some(("authorization", format!("Bearer {token}"))), None, String::new())
            }
            other => panic!("the API {other}"),
        };
        Self { header, token, id }
    }

    fn request(&self, backend: &Backend, operation: &Operation) -> RequestBuilder {
        let own = operation.path.starts_with("/users/") && operation.path.contains('{');
        let path = if own {
            operation.path.replace("{pk}", &self.id).replace("{id}", &self.id)
        } else {
            operation.example_path()
        };
        let mut request =
            backend.request(operation.method(), &path).query(&self.token.as_ref().map(|token| [("token", token)]));
        if let Some((name, value)) = &self.header {
            request = request.header(*name, value);
        }
        request
    }
}

/// Whether an answer is an error of an API, and one about the request.
fn refuses(api: &str, status: u16, body: &Value) -> bool {
    match api {
        "messenger" => (400..500).contains(&status) && body["error"].is_string(),
        "web" => status == 200 && body["errno"] == "4103",
        "sealtalk" => (400..500).contains(&status) && body["code"] == status,
        "rooms" => (400..500).contains(&status) && body["status"] == "FAIL",
        "device" => status == 200 && body["success"] == false,
        "supabase" => (400..500).contains(&status) && body["error_code"].is_string(),
        "v1" => (400..500).contains(&status) && body["status"] == status,
        other => panic!("the API {other}"),
    }
}

/// Whether an operation cannot do without a body. Of one with several content types, the description does not say so.
fn needs_body(operation: &Operation) -> bool {
    let body = &operation.said["requestBody"];
    body.is_object() && body["required"] != false
}

#[test]
fn a_required_body_that_is_missing_is_refused() {
    run(async {
        let (backend, api) = (shared().await, description());
        for name in APIS {
            let caller = Caller::of(backend, name).await;
            let all = operations(&api);
            let all = all.iter().filter(|operation| operation.api() == name && needs_body(operation));
            let (mut tried, mut taken) = (0, Vec::new());
            for operation in all {
                let none = caller.request(backend, operation);
                let empty = caller.request(backend, operation).header("content-type", "application/json").body("");
                let bare =
                    caller.request(backend, operation).header("content-type", "application/x-www-form-urlencoded");
                for request in [none, empty, bare] {
                    let (status, body) = answer(request).await;
                    if !refuses(name, status, &body) {
                        taken.push(format!("{}: {status} {body}", operation.key()));
                    }
                }
                tried += 1;
            }
            assert!(tried >= 4 && taken.is_empty(), "{name}: {tried} {taken:#?}");
        }
    });
}
