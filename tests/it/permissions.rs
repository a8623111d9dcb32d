//! The functions' roles allow everything that the functions do, and nothing that they never do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use emulator::{Principal, UsedStatement};
use futures::future::BoxFuture;
use local::{Functions, Handset, Invoke, Options};
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::pictures::{Bucket, Noise, broken_webps, jpeg, name};
use crate::support::{Backend, fresh_phone, run};

/// The repository's functions with unregistered access keys, so that a test can define their permissions.
struct WithOwnKeys(Handset);

fn key(binary: &str) -> (String, String) {
    (format!("TEST{:0<16}", binary.to_uppercase()), format!("test/{binary}"))
}

impl Functions for WithOwnKeys {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        let mut environment = environment.clone();
        let (id, secret) = key(binary);
        environment.insert("AWS_ACCESS_KEY_ID".into(), id);
        environment.insert("AWS_SECRET_ACCESS_KEY".into(), secret);
        Box::pin(async move { self.0.build(binary, &environment).await })
    }

    fn openapi(&self) -> Value {
        self.0.openapi()
    }
}

fn many(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Splits a statement into statements with one action and one resource each, so that none is hidden by another.
fn split(statement: &Value) -> Vec<Value> {
    let element = |names: [&'static str; 2]| {
        let name = names.into_iter().find(|name| statement.get(name).is_some()).expect("an element");
        (name, many(&statement[name]))
    };
    let (actions, resources) = (element(["Action", "NotAction"]), element(["Resource", "NotResource"]));
    // A negated element is not a list of permissions.
    let each = |(name, values): (&'static str, Vec<Value>)| -> Vec<(&'static str, Value)> {
        if name.starts_with("Not") {
            vec![(name, json!(values))]
        } else {
            values.into_iter().map(|value| (name, value)).collect()
        }
    };
    let mut parts = Vec::new();
    for (action, actions) in each(actions) {
        for (resource, resources) in each(resources.clone()) {
            let mut part = statement.clone();
            part[action] = actions.clone();
            part[resource] = resources;
            parts.push(part);
        }
    }
    parts
}

/// Uses every feature of the messenger API once.
async fn whole_messenger_session(backend: &Backend) {
    let phone = fresh_phone();
    let person = backend.person_on(&phone).await;
    let (status, _) = backend.sign_in(&phone, "000000").await;
    assert_eq!(status, 400);
    assert_eq!(answer(backend.refresh(&person.refresh_token)).await.0, 200);
    assert_eq!(answer(backend.get("/.well-known/jwks.json")).await.0, 200);

    assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await.0, 200);
    let state = backend.put("/users/me/state").bearer_auth(&person.access_token).json(&json!({ "value": "away" }));
    assert_eq!(answer(state).await.0, 200);
    let patch = backend.patch("/users/me").bearer_auth(&person.access_token).json(&json!({ "name": "Tim" }));
    assert_eq!(answer(patch).await.0, 200);
    assert_eq!(backend.card(&person, &phone).await["name"], "Tim");

    let image = backend.post_image(&person, jpeg(300, 200)).await;
    let avatar = backend.put_avatar(&person, jpeg(300, 300)).await;
    let audio = backend.post_audio(&person, b"#!AMR\n\x3c\x91".to_vec()).await;
    backend.settled().await;
    for path in [&image, &avatar, &audio, &audio.replace("/audios/", "/audio/"), &format!("{image}@128w_128h_1c")] {
        backend.bytes(path).await;
        assert_eq!(backend.request(reqwest::Method::HEAD, path).send().await.expect("an answer").status(), 200);
    }
    // A missing thumbnail, and names without an object.
    let bucket = Bucket::of(backend);
    bucket.delete(&format!("thumbnails/{}@256w_256h_1c", name(&image))).await;
    backend.bytes(&format!("{image}@256w_256h_1c")).await;
    for path in
        ["/images/0123456789abcdef0123456789abcdef.jpg", "/audios/0123456789abcdef0123456789abcdef.amr", "/nothing"]
    {
        assert_eq!(answer(backend.get(path)).await.0, 404, "{path}");
    }
    // A picture without thumbnails, which is noted.
    let [(_, broken), _] = broken_webps();
    let broken = backend.post_image(&person, broken).await;
    backend.settled().await;
    assert_eq!(answer(backend.get(&format!("{broken}@128w_128h_1c"))).await.0, 400);
    // Large files are reached by a link, which has the function's own permissions.
    let long = "0123456789abcdef0123456789abcdef";
    bucket
        .put(&format!("originals/audios/{long}.bin"), "application/octet-stream", Noise::new(1).bytes(4_194_305))
        .await;
    let response = backend.get(&format!("/audios/{long}.bin")).send().await.expect("an answer");
    let link = response.headers()["location"].to_str().expect("a link").to_owned();
    assert_eq!(reqwest::get(link).await.expect("an answer").status(), 200);

    // A session that has ended, while its owner still sends requests.
    backend.advance(Duration::from_secs(61));
    backend.person_on(&phone).await;
    for (method, path) in [("POST", "/images"), ("PUT", "/users/me/avatar")] {
        let method = method.parse().expect("a method");
        assert_eq!(answer(backend.upload(&person, method, path, jpeg(20, 20))).await.0, 401, "{path}");
    }
    backend.settled().await;
}

/// Uses every feature of the APIs once.
pub async fn whole_session(backend: &Backend) {
    whole_messenger_session(backend).await;
    crate::web::whole_session(backend).await;
    crate::sealtalk::whole_session(backend).await;
    crate::device::whole_session(backend).await;
    crate::supabase::whole_session(backend).await;
    crate::v1::whole_session(backend).await;
    crate::v1_contacts::whole_session(backend).await;
    crate::v1_media::whole_session(backend).await;
    crate::rooms::whole_session(backend).await;
    crate::social::whole_session(backend).await;
    crate::social::whole_group(backend).await;
    crate::notifications::whole_session(backend).await;
    crate::v1_deletion::whole_session(backend).await;
}

#[test]
fn every_permission_is_enough_and_every_one_is_needed() {
    run(async {
        let parameters = vec![("SessionsPerAccount".to_owned(), "1".to_owned())];
        let options = Options { port: 0, data: None, parameters, ..Options::default() };
        let backend = Backend::with(options, WithOwnKeys).await.expect("the backend starts");
        let endpoints = backend.running.endpoints();
        let mut expected = BTreeMap::new();
        for function in &backend.running.stack().functions {
            let statements: Vec<Value> = function.policies.iter().flat_map(split).collect();
            for (index, statement) in statements.iter().enumerate() {
                let used = UsedStatement { principal: function.binary.clone(), index };
                expected.insert(used, format!("{}: {statement}", function.logical_id));
            }
            let (access_key_id, secret_access_key) = key(&function.binary);
            let name = function.binary.clone();
            let role = Principal { name, access_key_id, secret_access_key, statements: Some(statements) };
            endpoints.register(role).expect("a role");
        }
        whole_session(&backend).await;

        assert_eq!(endpoints.denied(), Vec::new());
        // A part is needed if it alone allowed a call. Without it this call is denied and the assertion above fails;
        // for the permission that only affects a response, the next test fails.
        let needed: BTreeSet<UsedStatement> = endpoints.needed_statements().into_iter().collect();
        let idle = expected.iter().filter(|(statement, _)| !needed.contains(statement)).map(|(_, text)| text);
        // Only where the bucket keeps versions, or kept them once: see the test below.
        let idle: Vec<_> = idle.filter(|text| !text.contains("s3:DeleteObjectVersion")).collect();
        assert!(idle.is_empty(), "never needed: {idle:#?}");
    });
}

#[test]
fn a_deletion_needs_the_right_to_delete_versions_where_the_bucket_keeps_them() {
    run(async {
        let backend = Backend::start(&[("DeletedMediaDays", "7")]).await;
        crate::v1_deletion::whole_session(&backend).await;
        let endpoints = backend.running.endpoints();
        assert_eq!(endpoints.denied(), Vec::new());
        let jobs = backend.running.stack().functions.iter().find(|function| function.binary == "jobs");
        let policies = &jobs.expect("the function").policies;
        let used = endpoints.needed_statements().into_iter().filter(|used| used.principal == "jobs");
        let used: Vec<_> = used.map(|used| policies[used.index]["Sid"].clone()).collect();
        assert!(used.contains(&json!("EraseMedia")), "{used:?}");
    });
}

#[test]
fn without_the_right_to_list_what_is_missing_looks_like_a_fault() {
    run(async {
        let options = Options { port: 0, data: None, ..Options::default() };
        let backend = Backend::with(options, WithOwnKeys).await.expect("the backend starts");
        for function in &backend.running.stack().functions {
            let mut statements = function.policies.clone();
            statements.retain(|statement| statement["Action"] != "s3:ListBucket");
            let (access_key_id, secret_access_key) = key(&function.binary);
            let name = function.binary.clone();
            let role = Principal { name, access_key_id, secret_access_key, statements: Some(statements) };
            backend.running.endpoints().register(role).expect("a role");
        }
        for path in ["/images/0123456789abcdef0123456789abcdef.jpg", "/audios/0123456789abcdef0123456789abcdef.amr"] {
            assert_eq!(answer(backend.get(path)).await.0, 500, "{path}");
        }
    });
}

#[test]
fn the_roles_of_the_template_are_the_ones_that_are_enforced() {
    run(async {
        let backend = Backend::start(&[("SessionsPerAccount", "1")]).await;
        whole_session(&backend).await;
        let endpoints = backend.running.endpoints();
        assert_eq!(endpoints.denied(), Vec::new());
        let used: BTreeSet<UsedStatement> = endpoints.used_statements().into_iter().collect();
        for function in &backend.running.stack().functions {
            for index in 0..function.policies.len() {
                let statement = UsedStatement { principal: function.binary.clone(), index };
                assert!(used.contains(&statement), "{}: {}", function.binary, function.policies[index]);
            }
        }
    });
}

#[test]
fn a_role_that_lacks_a_statement_is_refused_and_says_which() {
    run(async {
        let options = Options { port: 0, data: None, ..Options::default() };
        let backend = Backend::with(options, WithOwnKeys).await.expect("the backend starts");
        let endpoints = backend.running.endpoints();
        for function in &backend.running.stack().functions {
            let mut statements = function.policies.clone();
            if function.binary == "media" {
                statements.retain(|statement| statement["Sid"] != "StoreOriginals");
            }
            let (access_key_id, secret_access_key) = key(&function.binary);
            let name = function.binary.clone();
            let role = Principal { name, access_key_id, secret_access_key, statements: Some(statements) };
            endpoints.register(role).expect("a role");
        }
        let person = backend.person().await;
        let (status, _) = answer(backend.upload(&person, reqwest::Method::POST, "/images", jpeg(9, 9))).await;
        assert_eq!(status, 500);
        let denied = endpoints.denied();
        assert!(
            denied
                .iter()
                .any(|denied| (denied.principal.as_str(), denied.action.as_str()) == ("media", "s3:PutObject"))
        );
    });
}
