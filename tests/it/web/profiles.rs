//! Names, pictures and identity documents.

use emulator::Fault;
use futures::future::join_all;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::Form;
use serde_json::{Value, json};

use super::{IDENTITY, Person, avatar, done, malformed, path, png, refused, register};
use crate::support::backend::answer;
use crate::support::{Backend, round_trips, run, shared};

#[test]
fn the_own_profile_has_the_new_name_and_picture() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let session = || person.gets(backend, "session");
        assert_eq!(session().await.1["data"], json!({ "user_id": person.id, "name": person.phone.0 }));
        let rename = |name: Value| answer(person.sends(backend.put(&path("user/name"))).json(&json!({ "name": name })));
        let named = json!({ "errno": "0", "errmsg": "OK", "data": { "name": "Tom" } });
        assert_eq!(rename(json!(" Tom ")).await, (200, named));
        for bad in [json!(""), json!("  "), json!("x".repeat(65)), json!("a\u{0}b"), Value::Null, json!([])] {
            assert_eq!(rename(bad.clone()).await, malformed(), "{bad}");
        }
        assert_eq!(answer(person.sends(backend.put(&path("user/name"))).json(&json!({}))).await, malformed());
        let (status, body) = answer(person.sends(avatar(backend, png()))).await;
        assert_eq!((status, &body["errno"], &body["errmsg"]), (200, &json!("0"), &json!("OK")), "{body}");
        let url = body["data"]["avatar_url"].as_str().unwrap();
        let picture = backend.get(url.strip_prefix(&backend.running.url()).expect("an absolute URL")).send().await;
        assert_eq!(picture.unwrap().headers()[CONTENT_TYPE], "image/png");
        let (_, body) = person.gets(backend, "user").await;
        let data = &body["data"];
        assert_eq!(
            (&data["name"], &data["avatar"], &data["avatar_url"], &data["mobile"]),
            (&json!("Tom"), &json!(url), &json!(url), &json!(person.phone.0))
        );
        assert_eq!(data["user_id"], person.id);
        assert_eq!(session().await.1["data"]["name"], "Tom");
        for bad in [b"not a picture".to_vec(), Vec::new(), png()[..40].to_vec()] {
            assert_eq!(answer(person.sends(avatar(backend, bad))).await, malformed());
        }
        let empty = backend.post(&path("user/avatar")).multipart(Form::new().text("user_id", "1"));
        assert_eq!(answer(person.sends(empty)).await, malformed());
    });
}

#[test]
fn a_name_is_set_by_post_as_by_put() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let rename = |name: &str| answer(person.sends(backend.post(&path("user/name"))).json(&json!({ "name": name })));
        let named = json!({ "errno": "0", "errmsg": "OK", "data": { "name": "Ann" } });
        assert_eq!(rename(" Ann ").await, (200, named));
        assert_eq!(rename("").await, malformed());
        let form = person.sends(backend.post(&path("user/name"))).form(&[("name", "Eve")]);
        assert_eq!(answer(form).await.1["data"]["name"], "Eve");
        assert_eq!(person.gets(backend, "user").await.1["data"]["name"], "Eve");
    });
}

/// The response before a real name was submitted.
fn unwritten(person: &Person) -> (u16, Value) {
    let data = json!({ "user_id": person.id, "real_name": null, "id_card": null });
    (200, json!({ "errno": "0", "errmsg": "OK", "data": data }))
}

#[test]
fn the_real_name_of_a_deleted_account_is_an_invalid_request() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let client = aws_sdk_dynamodb::Client::new(backend.administrator());
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let delete = client.delete_item().table_name(backend.table_name());
        let delete = delete.key("pk", text(&format!("user#{}", person.id))).key("sk", text("account"));
        delete.send().await.expect("a delete");
        assert_eq!(person.gets(backend, "user/auth").await, refused("4002", "无效操作"));
    });
}

#[test]
fn what_cannot_be_kept_is_refused_in_the_documents_words() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        let endpoints = backend.running.endpoints();
        let said = |errno: &str, errmsg: &str| (200, refused(errno, errmsg).1);
        endpoints.fail_next("dynamodb:UpdateItem", 1, Fault::error(400, "ValidationException"));
        let renamed = person.sends(backend.put(&path("user/name"))).json(&json!({ "name": "Tom" }));
        assert_eq!(answer(renamed).await, said("4001", "保存用户信息失败"));
        endpoints.fail_next("s3:PutObject", 1, Fault::error(400, "InvalidRequest"));
        assert_eq!(answer(person.sends(avatar(&backend, png()))).await, said("4301", "七牛云上传图片失败"));
        endpoints.fail_next("kms:GenerateDataKey", 1, Fault::error(400, "DisabledException"));
        let body = json!({ "real_name": "张三", "id_card": IDENTITY[0] });
        let written = person.sends(backend.post(&path("user/auth"))).json(&body);
        assert_eq!(answer(written).await, said("4001", "保存用户实名信息失败"));
        assert_eq!(endpoints.faults_left(), 0);
        assert_eq!(person.gets(&backend, "user/auth").await, unwritten(&person), "nothing was kept");
        endpoints.fail_next("dynamodb:GetItem", 1, Fault::error(400, "ValidationException"));
        assert_eq!(person.gets(&backend, "user").await, said("4500", "内部错误"));
    });
}

#[test]
fn a_real_name_is_written_once_and_readable_by_nobody_else() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let write = |name: &str, number: &str| {
            let body = json!({ "real_name": name, "id_card": number });
            answer(person.sends(backend.post(&path("user/auth"))).json(&body))
        };
        assert_eq!(person.gets(backend, "user/auth").await, unwritten(&person));
        let x = IDENTITY[0];
        let changed = format!("{}1", &x[..17]);
        for (name, number) in
            [("张三", &*changed), ("张三", "110105194912310021"), ("张三", "11010519491332002X"), ("", x), ("张三", "")]
        {
            assert_eq!(write(name, number).await, malformed(), "{name} {number}");
        }
        for body in [json!({}), json!({ "real_name": "张三" }), json!({ "real_name": 1, "id_card": x })] {
            let sent = person.sends(backend.post(&path("user/auth"))).json(&body);
            assert_eq!(answer(sent).await, malformed(), "{body}");
        }
        assert_eq!(write("张三", &x.to_lowercase()).await, done());
        assert_eq!(write(" 张三 ", x).await, done(), "the same again");
        assert_eq!(write("李四", x).await, refused("4003", "数据已存在"));
        assert_eq!(write("张三", IDENTITY[1]).await, refused("4003", "数据已存在"));
        let data = json!({ "user_id": person.id, "real_name": "张三", "id_card": x });
        assert_eq!(
            person.gets(backend, "user/auth").await,
            (200, json!({ "errno": "0", "errmsg": "OK", "data": data }))
        );
        let item = backend.item(&format!("user#{}", person.id), "identity").await.expect("a document");
        let sealed = item["sealed"].as_b().expect("bytes").as_ref();
        for plain in [x.as_bytes(), &x.as_bytes()[..6], "张三".as_bytes()] {
            assert!(!sealed.windows(plain.len()).any(|window| window == plain));
        }
        let logged = format!("{:?}", round_trips::log());
        assert!(!logged.contains(x) && !logged.contains(&x.to_lowercase()) && !logged.contains("张三"));
        // In another user's item it cannot be decrypted.
        let other = register(backend).await;
        let mut stolen = item.clone();
        stolen.insert("pk".into(), aws_sdk_dynamodb::types::AttributeValue::S(format!("user#{}", other.id)));
        let client = aws_sdk_dynamodb::Client::new(backend.administrator());
        let put = client.put_item().table_name(backend.table_name()).set_item(Some(stolen));
        put.send().await.expect("a put");
        assert_eq!(other.gets(backend, "user/auth").await, (200, refused("4500", "内部错误").1));
    });
}

#[test]
fn of_many_real_names_at_once_one_is_kept() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let answers = join_all((0..10).map(|index| {
            let body = json!({ "real_name": format!("张{index}"), "id_card": IDENTITY[0] });
            answer(person.sends(backend.post(&path("user/auth"))).json(&body))
        }))
        .await;
        let kept: Vec<_> = (0..10).filter(|index| answers[*index] == done()).collect();
        assert_eq!(kept.len(), 1, "{answers:?}");
        assert!(
            answers.iter().all(|answer| *answer == done() || *answer == refused("4003", "数据已存在")),
            "{answers:?}"
        );
        assert_eq!(person.gets(backend, "user/auth").await.1["data"]["real_name"], format!("张{}", kept[0]));
    });
}
