//! Captchas, and codes after a solved captcha.

use std::time::Duration;

use emulator::Fault;
use futures::future::join_all;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use super::{PASSWORD, ask, captcha, code, fresh_id, malformed, path, refused, register};
use crate::support::backend::answer;
use crate::support::{Backend, Phone, fresh_phone, run, shared};

#[test]
fn a_captcha_is_a_picture_that_nobody_keeps() {
    run(async {
        let backend = shared().await;
        let response = backend.get(&path(&format!("imagecode/{}", fresh_id()))).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "image/jpg");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let bytes = response.bytes().await.unwrap();
        let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (160, 60));
        for id in ["a%20b", "%E5%8F%B7", &"x".repeat(65)] {
            assert_eq!(answer(backend.get(&path(&format!("imagecode/{id}")))).await, malformed(), "{id}");
        }
        assert_eq!(backend.get(&path(&format!("imagecode/{}", "x".repeat(64)))).send().await.unwrap().status(), 200);
    });
}

#[test]
fn a_captcha_that_cannot_be_kept_is_refused_in_the_documents_words() {
    run(async {
        let backend = Backend::start(&[]).await;
        backend.running.endpoints().fail_next("dynamodb:PutItem", 1, Fault::error(400, "ValidationException"));
        let (status, body) = answer(backend.get(&path("imagecode/an-id"))).await;
        assert_eq!((status, body), (200, json!({ "errno": "4001", "errmsg": "保存图片验证码失败" })));
    });
}

#[test]
fn a_code_goes_out_to_who_reads_the_captcha_however_the_request_is_spelt() {
    run(async {
        let backend = shared().await;
        let sent = refused("0", "发送成功");
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(backend, &id).await;
        assert_eq!(ask(backend, &phone, &text.to_lowercase(), &id).await, sent);
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(backend, &id).await;
        let commas = backend.get(&path(&format!("smscode/{phone},text={text},id={id}")));
        assert_eq!(answer(commas).await, sent);
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(backend, &id).await;
        let encoded = backend.get(&path(&format!("smscode/%2B86{phone}%2Ctext%3D{text}%2Cid%3D{id}")));
        assert_eq!(answer(encoded).await, sent);
        assert_eq!(backend.newest_code(&phone).await.len(), 6);
    });
}

#[test]
fn a_captcha_is_spent_at_the_first_look_and_the_latest_of_its_id_counts() {
    run(async {
        let backend = shared().await;
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(backend, &id).await;
        assert_eq!(ask(backend, &phone, "0000", &id).await, refused("4004", "数据错误"));
        assert_eq!(ask(backend, &phone, &text, &id).await, refused("4002", "无数据"));
        assert_eq!(ask(backend, &phone, &text, &fresh_id()).await, refused("4002", "无数据"));
        let first = captcha(backend, &id).await;
        let mut second = captcha(backend, &id).await;
        while second == first {
            second = captcha(backend, &id).await;
        }
        assert_eq!(ask(backend, &phone, &first, &id).await, refused("4004", "数据错误"));
        // A captcha of another API is not valid in this one.
        let theirs = format!("{}{}", fresh_phone(), "0".repeat(21));
        backend.get(&format!("/user/sms_img_code/{theirs}")).send().await.unwrap();
        assert_eq!(ask(backend, &phone, "abcd", &theirs).await, refused("4002", "无数据"));
        let text = captcha(backend, &id).await;
        let asked = join_all((0..20).map(|_| ask(backend, &phone, &text, &id))).await;
        assert_eq!(asked.iter().filter(|(_, body)| body["errno"] == "0").count(), 1, "{asked:?}");
        let (_, texts) = answer(backend.get("/_local/sms").query(&[("phone", format!("+86{phone}"))])).await;
        assert_eq!(texts.as_array().map(Vec::len), Some(1), "{texts}");
        assert!(backend.item(&format!("captcha#web#{id}"), "captcha").await.is_none());
    });
}

#[test]
fn a_captcha_and_a_code_live_as_long_as_they_should() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let text = captcha(&backend, "an-id").await;
        backend.advance(Duration::from_secs(181));
        assert_eq!(ask(&backend, &phone, &text, "an-id").await, refused("4002", "无数据"));
        let code = code(&backend, &phone).await;
        backend.advance(Duration::from_secs(301));
        let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        assert_eq!(answer(backend.post(&path("users")).json(&body)).await, refused("4002", "无数据"));
    });
}

#[test]
fn each_reason_not_to_send_a_code_has_its_number() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        let send = async |phone: &str| {
            let text = captcha(&backend, "an-id").await;
            ask(&backend, &Phone(phone.to_owned()), &text, "an-id").await
        };
        backend.advance(Duration::from_secs(61));
        assert_eq!(send(&person.phone.0).await, refused("4003", "数据已存在"));
        let phone = fresh_phone();
        backend.code_for(&phone).await;
        assert_eq!(send(&phone.0).await, refused("4201", "非法请求或请求次数受限"), "the messenger's code counts");
        for bad in ["123", "abc", "1391234567", "+10"] {
            assert_eq!(send(bad).await, malformed(), "{bad}");
        }
        let phone = fresh_phone();
        // Three attempts by the SDK for each.
        backend.running.endpoints().fail_next("sns:Publish", 1, Fault::internal_error());
        assert_eq!(send(&phone.0).await, refused("4301", "发送失败"));
        assert_eq!(backend.running.endpoints().faults_left(), 0);
        assert_eq!(send(&phone.0).await, refused("0", "发送成功"), "and may be asked for at once");
        for query in ["", "?text=abcd", "?id=an-id", "?text=abcd&id=a%20b"] {
            let asked = backend.get(&path(&format!("smscode/{}{query}", fresh_phone())));
            assert_eq!(answer(asked).await, malformed(), "{query}");
        }
    });
}

#[test]
fn an_address_that_asks_too_often_is_told_so() {
    run(async {
        let backend = Backend::start(&[("CodesPerIpHour", "1")]).await;
        code(&backend, &fresh_phone()).await;
        let text = captcha(&backend, "an-id").await;
        assert_eq!(ask(&backend, &fresh_phone(), &text, "an-id").await, refused("4202", "IP受限"));
    });
}
