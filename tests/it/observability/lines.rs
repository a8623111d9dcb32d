//! Every line names its invocation, and the last line of an invocation has its outcome.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{OBSERVED, recorded};
use crate::support::backend::answer;
use crate::support::pictures::jpeg;
use crate::support::round_trips::lines;
use crate::support::{fresh_phone, run};

#[test]
fn every_line_of_an_invocation_has_its_ids_and_the_last_its_outcome() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED]).await;
        let endpoints = backend.running.endpoints();
        let person = backend.person().await;
        backend.post_image(&person, jpeg(30, 20)).await;
        endpoints.settled().await;
        assert_eq!(backend.sign_in(&fresh_phone(), "123456").await.0, 400);
        assert_eq!(answer(backend.get("/nothing")).await.0, 404);
        assert_eq!(answer(backend.post("/user/login").json(&0)).await.0, 400);
        endpoints.fail_next("sns:Publish", 1, emulator::Fault::error(400, "OptedOut"));
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 400);
        endpoints.fail_next("dynamodb:TransactWriteItems", 1, emulator::Fault::error(400, "ValidationException"));
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 500);

        let seen = record.all();
        let mut lines = lines();
        lines.retain(|line| seen.iter().any(|seen| line["request_id"] == seen.request_id.as_str()));
        for seen in &seen {
            let own = lines.iter().filter(|line| line["request_id"] == seen.request_id.as_str());
            let (last, others): (Vec<&Value>, Vec<&Value>) =
                own.partition(|line| line["event"] == "request" || line["event"] == "event");
            assert_eq!(last.len(), 1, "{}: {last:?}", seen.event);
            for line in last.iter().chain(&others) {
                assert_eq!(line["function"], seen.function.as_str(), "{line}");
                assert_eq!(line["gateway_request_id"], seen.event["requestContext"]["requestId"], "{line}");
                assert!(line["route"].is_string() && line["level"].is_string(), "{line}");
            }
            assert!(last[0]["millis"].is_u64() && last[0]["outcome"].is_string(), "{}", last[0]);
        }
        let told = |name: &str| -> BTreeSet<&str> { lines.iter().filter_map(|line| line[name].as_str()).collect() };
        assert!(
            told("outcome").is_superset(&BTreeSet::from([
                "code_not_asked",
                "fault",
                "malformed",
                "no_route",
                "ok",
                "text_not_sent"
            ])),
            "{:?}",
            told("outcome")
        );
        assert!(told("event").is_superset(&BTreeSet::from([
            "event",
            "fault",
            "request",
            "text_refused",
            "thumbnails_made"
        ])));
        assert!(told("route").is_superset(&BTreeSet::from(["/auth/token", "/images", "dynamodb", "none", "s3"])));
        assert!(told("method").contains("POST"));
    });
}
