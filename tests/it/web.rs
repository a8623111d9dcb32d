//! The web API, as documented and as its clients send it.

use std::time::Duration;

use futures::future::join_all;
use local_aws::Fault;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::backend::{answer, read};
use crate::support::{Backend, Phone, fresh_phone, run, shared, trips};

const PASSWORD: &str = "P@ssw0rd";
/// The two numbers that the standard itself has as examples, GB 11643-1999.
const IDENTITY: [&str; 2] = ["11010519491231002X", "440524188001010014"];

fn refused(errno: &str, errmsg: &str) -> (u16, Value) {
    (200, json!({ "errno": errno, "errmsg": errmsg }))
}

fn not_signed_in() -> (u16, Value) {
    refused("4101", "用户未登录")
}

fn malformed() -> (u16, Value) {
    refused("4103", "参数错误")
}

fn done() -> (u16, Value) {
    refused("0", "OK")
}

fn path(rest: &str) -> String {
    format!("/api/v1.0/{rest}")
}

/// An id of a captcha that nobody else uses.
fn fresh_id() -> String {
    format!("id-{}", fresh_phone())
}

/// Asks for a captcha and answers what it says, which stages that show codes tell in a header.
async fn captcha(backend: &Backend, id: &str) -> String {
    let picture = backend.get(&path(&format!("imagecode/{id}"))).send().await.expect("a picture");
    picture.headers()["x-captcha-text"].to_str().expect("letters and digits").to_owned()
}

/// Asks for a code with what somebody read.
async fn ask(backend: &Backend, phone: &Phone, text: &str, id: &str) -> (u16, Value) {
    answer(backend.get(&path(&format!("smscode/{phone}"))).query(&[("text", text), ("id", id)])).await
}

/// Reads a captcha, asks for a code and reads that from the phone.
async fn code(backend: &Backend, phone: &Phone) -> String {
    let id = fresh_id();
    let text = captcha(backend, &id).await;
    assert_eq!(ask(backend, phone, &text, &id).await, refused("0", "发送成功"));
    backend.newest_code(phone).await
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Somebody who is signed in.
struct Person {
    phone: Phone,
    id: u64,
    cookie: String,
}

impl Person {
    fn sends(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(COOKIE, &self.cookie)
    }

    async fn gets(&self, backend: &Backend, rest: &str) -> (u16, Value) {
        answer(self.sends(backend.get(&path(rest)))).await
    }
}

/// The session cookie of an answer, as it is sent back, after a look at its attributes.
fn cookie(response: &Response) -> String {
    let line = response.headers()[SET_COOKIE].to_str().expect("a cookie");
    let (cookie, attributes) = line.split_once("; ").expect("attributes");
    assert_eq!(attributes, "Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax", "the local run has no TLS");
    cookie.to_owned()
}

async fn register_on(backend: &Backend, phone: Phone) -> Person {
    let code = code(backend, &phone).await;
    let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
    let response = backend.post(&path("users")).json(&body).send().await.expect("an answer");
    let cookie = cookie(&response);
    let (status, body) = read(response).await;
    assert_eq!((status, &body["errno"], &body["errmsg"]), (200, &json!("0"), &json!("OK")), "{body}");
    Person { phone, id: body["data"]["user_id"].as_u64().expect("an id"), cookie }
}

async fn register(backend: &Backend) -> Person {
    register_on(backend, fresh_phone()).await
}

async fn sign_in(backend: &Backend, phone: &Phone, password: &str) -> (u16, Value) {
    answer(backend.post(&path("sessions")).json(&json!({ "mobile": phone.0, "password": password }))).await
}

/// A small picture.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

fn avatar(backend: &Backend, bytes: Vec<u8>) -> RequestBuilder {
    let part = Part::bytes(bytes).file_name("me.png");
    backend.post(&path("user/avatar")).multipart(Form::new().text("user_id", "1").part("avatar", part))
}

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
        // What another API drew is none of this one's.
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
        // Three attempts of the SDK's at each.
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

#[test]
fn registering_signs_in_and_answers_the_whole_person() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = code(backend, &phone).await;
        let post = |body: Value| answer(backend.post(&path("users")).json(&body));
        let with = |code: &str| json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        assert_eq!(post(with(&wrong(&code))).await, refused("4004", "数据错误"));
        let number: u64 = phone.0.parse().unwrap();
        let (status, body) = post(json!({ "mobile": number, "sms_code": code, "password": PASSWORD })).await;
        assert_eq!((status, &body["errno"], &body["errmsg"]), (200, &json!("0"), &json!("OK")), "{body}");
        let data = body["data"].as_object().unwrap();
        let mut fields: Vec<_> = data.keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["avatar", "create_time", "mobile", "name", "user_id"]);
        let expected = (&json!(phone.0), &json!(phone.0), &json!(""));
        assert_eq!((&data["name"], &data["mobile"], &data["avatar"]), expected);
        let made = data["create_time"].as_str().unwrap();
        let shape: String = made.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99 99:99:99", "{made}");
        assert_eq!(post(with(&code)).await, refused("4002", "无数据"), "a code works once");
        assert_eq!(sign_in(backend, &phone, PASSWORD).await.1["data"], json!({ "user_id": data["user_id"] }));
    });
}

#[test]
fn forms_are_as_good_as_json() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = code(backend, &phone).await;
        let form = [("mobile", phone.0.as_str()), ("sms_code", &code), ("password", PASSWORD)];
        let response = backend.post(&path("users")).form(&form).send().await.unwrap();
        let person = Person { phone: phone.clone(), id: 0, cookie: cookie(&response) };
        let form = [("mobile", phone.0.as_str()), ("password", PASSWORD)];
        let response = backend.post(&path("sessions")).form(&form).send().await.unwrap();
        assert!(cookie(&response).starts_with("web_session="));
        let named = person.sends(backend.put(&path("user/name"))).form(&[("name", "小明")]);
        assert_eq!(answer(named).await.1["data"], json!({ "name": "小明" }));
        let form = [("real_name", "张三"), ("id_card", IDENTITY[0])];
        assert_eq!(answer(person.sends(backend.post(&path("user/auth"))).form(&form)).await, done());
        assert_eq!(person.gets(backend, "user/auth").await.1["data"]["real_name"], "张三");
    });
}

#[test]
fn what_is_not_a_registration_makes_no_account() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let post = |body: Value| answer(backend.post(&path("users")).json(&body));
        let whole = json!({ "mobile": phone.0, "sms_code": "123456", "password": PASSWORD });
        assert_eq!(post(whole.clone()).await, refused("4002", "无数据"), "no code was asked for");
        for field in ["mobile", "sms_code", "password"] {
            for value in [None, Some(Value::Null), Some(json!([])), Some(json!({})), Some(json!(true))] {
                let mut body = whole.clone();
                match value {
                    Some(value) => body[field] = value,
                    None => drop(body.as_object_mut().unwrap().remove(field)),
                }
                assert_eq!(post(body.clone()).await, malformed(), "{body}");
            }
        }
        for (field, value) in [("mobile", "123"), ("password", "12345"), ("password", "with space"), ("password", "")] {
            let mut body = whole.clone();
            body[field] = json!(value);
            assert_eq!(post(body.clone()).await, malformed(), "{body}");
        }
        for body in ["{", "[]", "null", "\u{0}", &format!("{{\"mobile\":\"{}\"}}", "1".repeat(300_000))] {
            let sent = backend.post(&path("users")).header(CONTENT_TYPE, "application/json").body(body.to_owned());
            assert_eq!(answer(sent).await, malformed(), "{body:.20}");
        }
        // The messenger's code is for another purpose.
        let code = backend.code_for(&phone).await;
        let mut body = whole.clone();
        body["sms_code"] = json!(code);
        assert_eq!(post(body).await, refused("4004", "数据错误"));
        assert!(backend.item(&format!("phone#+86{phone}"), "claim").await.is_none());
    });
}

#[test]
fn a_number_registers_once() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = code(&backend, &phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        let answers = join_all((0..20).map(|_| answer(backend.post(&path("users")).json(&body)))).await;
        assert_eq!(answers.iter().filter(|(_, body)| body["errno"] == "0").count(), 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        // Somebody who came by another API between the code and here has the number.
        let phone = fresh_phone();
        let text = captcha(&backend, "an-id").await;
        assert_eq!(ask(&backend, &phone, &text, "an-id").await, refused("0", "发送成功"));
        backend.advance(Duration::from_secs(61));
        backend.person_on(&phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": "123456", "password": PASSWORD });
        assert_eq!(answer(backend.post(&path("users")).json(&body)).await, refused("4002", "无数据"));
        backend.advance(Duration::from_secs(61));
        let text = captcha(&backend, "an-id").await;
        assert_eq!(ask(&backend, &phone, &text, "an-id").await, refused("4003", "数据已存在"));
    });
}

#[test]
fn a_wrong_password_and_an_unknown_number_are_refused_alike_and_not_forever() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        let wrong = refused("4004", "用户名或密码错误");
        let nobody = fresh_phone();
        for phone in [&person.phone, &nobody] {
            for _ in 0..10 {
                assert_eq!(sign_in(&backend, phone, "not it").await, wrong);
            }
            let limited = refused("4201", "非法请求或请求次数受限");
            assert_eq!(sign_in(&backend, phone, "not it").await, limited);
            assert_eq!(sign_in(&backend, phone, PASSWORD).await, limited, "right or not");
        }
        backend.advance(Duration::from_secs(1_201));
        assert_eq!(sign_in(&backend, &person.phone, PASSWORD).await.1["data"], json!({ "user_id": person.id }));
        for body in [json!({}), json!({ "mobile": "123", "password": "x" }), json!({ "mobile": person.phone.0 })] {
            assert_eq!(answer(backend.post(&path("sessions")).json(&body)).await, malformed(), "{body}");
        }
    });
}

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
            (&data["name"], &data["avatar"], &data["mobile"]),
            (&json!("Tom"), &json!(url), &json!(person.phone.0))
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
        assert_eq!(person.gets(&backend, "user/auth").await, refused("4002", "无效操作"), "nothing was kept");
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
        assert_eq!(person.gets(backend, "user/auth").await, refused("4002", "无效操作"));
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
        let logged = format!("{:?}", trips::log());
        assert!(!logged.contains(x) && !logged.contains(&x.to_lowercase()) && !logged.contains("张三"));
        // Put into somebody else's place it does not open.
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

/// A cookie with one character in its middle changed. Of the last one not every bit counts.
fn forge(cookie: &str) -> String {
    let middle = cookie.len() / 2;
    let other = if &cookie[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &cookie[..middle], &cookie[middle + 1..])
}

/// Every endpoint that needs a session, with a body that would do.
fn guarded(backend: &Backend) -> Vec<RequestBuilder> {
    let name = json!({ "name": "Tom" });
    let identity = json!({ "real_name": "张三", "id_card": IDENTITY[0] });
    vec![
        backend.get(&path("session")),
        backend.get(&path("user")),
        backend.put(&path("user/name")).json(&name),
        backend.post(&path("user/auth")).json(&identity),
        backend.get(&path("user/auth")),
        avatar(backend, png()),
    ]
}

#[test]
fn without_a_living_session_every_endpoint_says_so() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let forged = forge(&person.cookie);
        let messenger = format!("web_session={}", backend.person().await.access_token);
        let other_name = person.cookie.replace("web_session", "session");
        for cookie in ["", "web_session=", "web_session=x", &forged, &messenger, &other_name] {
            let requests = guarded(backend).into_iter().chain([backend.request(Method::DELETE, &path("session"))]);
            for request in requests {
                let request = if cookie.is_empty() { request } else { request.header(COOKIE, cookie) };
                assert_eq!(answer(request).await, not_signed_in(), "{cookie}");
            }
        }
        for request in guarded(backend) {
            let with_attributes = format!("a=b; {}; Path=/; HttpOnly; Max-Age=2592000", person.cookie);
            let (status, body) = answer(request.header(COOKIE, with_attributes)).await;
            assert_eq!((status, &body["errno"]), (200, &json!("0")), "{body}");
        }
        let out = person.sends(backend.request(Method::DELETE, &path("session"))).send().await.unwrap();
        assert_eq!(out.headers()[SET_COOKIE], "web_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(read(out).await, done());
        for request in guarded(backend) {
            assert_eq!(answer(person.sends(request)).await, not_signed_in());
        }
    });
}

#[test]
fn a_session_lasts_thirty_days() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        backend.advance(Duration::from_hours(30 * 24 - 1));
        assert_eq!(person.gets(&backend, "session").await.1["errno"], "0");
        backend.advance(Duration::from_hours(2));
        for request in guarded(&backend) {
            assert_eq!(answer(person.sends(request)).await, not_signed_in());
        }
    });
}

#[test]
fn a_number_of_another_api_is_the_same_person_here() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let login = json!({ "user": { "phoneNumber": person.phone.0, "password": PASSWORD } });
        let (_, body) = answer(backend.post("/users/login").json(&login)).await;
        assert_eq!(body["data"]["user"]["id"], person.id, "{body}");
        let login = json!({ "region": "86", "phone": person.phone.0, "password": PASSWORD });
        let (_, body) = answer(backend.post("/user/login").json(&login)).await;
        assert_eq!(body["code"], 200, "{body}");
    });
}

#[test]
fn what_no_route_answers_is_refused_in_this_apis_envelope() {
    run(async {
        let backend = shared().await;
        let unknown = (404, json!({ "errno": "4201", "errmsg": "非法请求或请求次数受限" }));
        for (method, rest) in [
            (Method::GET, "nothing"),
            (Method::GET, "users"),
            (Method::POST, "user"),
            (Method::DELETE, "user/name"),
            (Method::GET, "imagecode"),
            (Method::GET, "imagecode/a/b"),
            (Method::POST, "session"),
            (Method::GET, "user/"),
        ] {
            assert_eq!(answer(backend.request(method.clone(), &path(rest))).await, unknown, "{method} {rest}");
        }
    });
}

#[test]
fn each_endpoint_keeps_to_its_round_trips() {
    run(async {
        let backend = Backend::capped().await;
        let costs = async |request: RequestBuilder, row: &str| {
            let response = request.send().await.expect("an answer");
            assert_eq!(trips::rounds_of(&response), trips::documented(row), "{row}");
        };
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(&backend, &id).await;
        let asked = backend.get(&path(&format!("smscode/{phone}"))).query(&[("text", &text), ("id", &id)]);
        costs(asked, "web: send a code").await;
        let code = backend.newest_code(&phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        costs(backend.post(&path("users")).json(&body), "web: register").await;
        costs(backend.post(&path("sessions")).json(&body), "web: sign in").await;
        costs(backend.get(&path("imagecode/an-id")), "web: a captcha").await;
        let person = register(&backend).await;
        let rows = [
            "web: own profile, session",
            "web: own profile, session",
            "web: name, sign-out",
            "web: real name, written",
            "web: real name, read",
            "upload an avatar",
        ];
        for (request, row) in guarded(&backend).into_iter().zip(rows) {
            costs(person.sends(request), row).await;
        }
        let again = json!({ "real_name": "张三", "id_card": IDENTITY[0] });
        costs(person.sends(backend.post(&path("user/auth"))).json(&again), "… written before").await;
        costs(person.sends(backend.request(Method::DELETE, &path("session"))), "web: name, sign-out").await;
    });
}

/// Does once whatever this API can do: for the test that holds the functions' roles to what they do.
pub async fn whole_session(backend: &Backend) {
    let person = register(backend).await;
    assert_eq!(sign_in(backend, &person.phone, PASSWORD).await.1["errno"], "0");
    let person = {
        let body = json!({ "mobile": person.phone.0, "password": PASSWORD });
        let response = backend.post(&path("sessions")).json(&body).send().await.expect("an answer");
        Person { cookie: cookie(&response), ..person }
    };
    for number in IDENTITY {
        let body = json!({ "real_name": "张三", "id_card": number });
        answer(person.sends(backend.post(&path("user/auth"))).json(&body)).await;
    }
    assert_eq!(person.gets(backend, "user/auth").await.1["data"]["id_card"], IDENTITY[0]);
    let end = backend.request(Method::DELETE, &path("session"));
    for request in guarded(backend).into_iter().chain([end]) {
        let (status, body) = answer(person.sends(request)).await;
        assert_eq!((status, &body["errno"]), (200, &json!("0")), "{body}");
    }
    for request in guarded(backend) {
        assert_eq!(answer(person.sends(request)).await, not_signed_in());
    }
}
