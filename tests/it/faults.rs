//! Failures of SNS and DynamoDB: the responses, the retries, and that no half-finished change remains.

use emulator::Fault;
use serde_json::json;

use crate::support::backend::{answer, whole};
use crate::support::table::number;
use crate::support::users::{internal_error, refused};
use crate::support::{Backend, Phone, fresh_phone, run};

/// Attempts by the SDK for one call.
const ATTEMPTS: usize = 3;
/// Attempts at a transaction while others keep using its items: the first, and six more.
const TRANSACTIONS: usize = 7;

const PUBLISH: &str = "sns:Publish";
const TRANSACT: &str = "dynamodb:TransactWriteItems";
const UPDATE: &str = "dynamodb:UpdateItem";

fn fail(backend: &Backend, call: &str, count: usize, fault: Fault) {
    backend.running.endpoints().fail_next(call, count, fault);
}

fn assert_all_happened(backend: &Backend) {
    assert_eq!(backend.running.endpoints().faults_left(), 0, "an ordered fault did not happen");
}

fn conflict() -> Fault {
    Fault::error(400, "TransactionConflictException")
}

/// Asserts that no code is stored for the phone, and that a new request works immediately.
async fn assert_may_ask_again(backend: &Backend, phone: &Phone) {
    let item = backend.code_item(phone).await.expect("the sending times");
    assert!(!item.contains_key("digest") && !item.contains_key("tries") && !item.contains_key("expires"), "{item:?}");
    assert!(backend.texts(phone).await.is_empty());
    assert_eq!(
        backend.sign_in(phone, "123456").await,
        refused("no code to check: it was used already or never requested; request a new one")
    );
    let code = backend.code_for(phone).await;
    assert_eq!(backend.sign_in(phone, &code).await.0, 200);
}

#[test]
fn when_sns_refuses_the_code_is_taken_back_and_may_be_asked_for_at_once() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let words = "the text message could not be sent; request the code again";
        for (count, fault) in [
            (1, Fault::throttled()),
            (1, Fault::internal_error()),
            (1, Fault::error(400, "OptedOut")),
            (1, Fault::error(403, "AuthorizationError")),
        ] {
            let phone = fresh_phone();
            fail(&backend, PUBLISH, count, fault.clone());
            assert_eq!(answer(backend.ask(&phone)).await, refused(words), "{fault:?}");
            assert_all_happened(&backend);
            assert_may_ask_again(&backend, &phone).await;
        }
    });
}

#[test]
fn texts_that_were_refused_do_not_count_against_the_number() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        for _ in 0..6 {
            fail(&backend, PUBLISH, 1, Fault::error(400, "OptedOut"));
            assert_eq!(answer(backend.ask(&phone)).await.0, 400);
        }
        for _ in 0..3 {
            assert_eq!(answer(backend.ask(&phone)).await.0, 200);
            backend.advance(std::time::Duration::from_mins(1));
        }
        let (status, body) = answer(backend.ask(&phone)).await;
        assert_eq!(status, 400);
        assert!(body["error"].as_str().unwrap().starts_with("too many codes to this number"), "{body}");
    });
}

#[test]
fn texts_that_were_refused_count_against_the_address() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerIpHour", "3"), ("CaptchaRequired", "false")]).await;
        for _ in 0..3 {
            fail(&backend, PUBLISH, 1, Fault::error(400, "InvalidParameter"));
            assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 400);
            assert_all_happened(&backend);
        }
        let (status, body) = answer(backend.ask(&fresh_phone())).await;
        assert_eq!(status, 400);
        assert!(body["error"].as_str().unwrap().starts_with("too many codes"), "{body}");
    });
}

#[test]
fn a_refused_text_gives_back_only_its_own_place_in_the_hour() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        backend.code_for(&phone).await;
        let sent = number(&backend.code_item(&phone).await.unwrap(), "s0");
        backend.advance(std::time::Duration::from_mins(1));
        fail(&backend, PUBLISH, 1, Fault::error(400, "OptedOut"));
        assert_eq!(answer(backend.ask(&phone)).await.0, 400);
        let item = backend.code_item(&phone).await.unwrap();
        assert_eq!((number(&item, "s0"), number(&item, "s1")), (sent, Some(0)));
    });
}

#[test]
fn a_text_is_published_once_whatever_sns_says() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        for fault in [Fault::throttled(), Fault::internal_error(), Fault::error(503, "ServiceUnavailable")] {
            let phone = fresh_phone();
            fail(&backend, PUBLISH, 2, fault.clone());
            assert_eq!(answer(backend.ask(&phone)).await.0, 400, "{fault:?}");
            assert_eq!(backend.running.endpoints().faults_left(), 1, "a second attempt could be a second text");
            assert_eq!(answer(backend.ask(&phone)).await.0, 400, "{fault:?}");
            assert_all_happened(&backend);
        }
    });
}

#[test]
fn a_passing_failure_of_the_table_is_tried_again() {
    run(async {
        let tried_again = async |fault: Fault| {
            let backend = Backend::start(&[]).await;
            let phone = fresh_phone();
            fail(&backend, TRANSACT, ATTEMPTS - 1, fault.clone());
            let code = backend.code_for(&phone).await;
            // Once is enough from here on: the SDK waits up to a second before it retries.
            for call in [UPDATE, "dynamodb:GetItem", TRANSACT] {
                fail(&backend, call, 1, fault.clone());
            }
            let (status, tokens) = backend.sign_in(&phone, &code).await;
            assert_eq!(status, 200, "{fault:?}: {tokens}");
            fail(&backend, UPDATE, 1, fault.clone());
            let (status, refreshed) = answer(backend.refresh(tokens["refresh_token"].as_str().unwrap())).await;
            assert_eq!(status, 200, "{fault:?}: {refreshed}");
            assert_all_happened(&backend);
        };
        futures::join!(tried_again(Fault::throughput_exceeded()), tried_again(Fault::internal_server_error()));
    });
}

#[test]
fn a_lasting_failure_of_the_table_is_an_internal_error_and_sends_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        for fault in [
            Fault::throughput_exceeded(),
            Fault::internal_server_error(),
            Fault::error(400, "ResourceNotFoundException"),
            Fault::error(400, "ValidationException"),
        ] {
            let phone = fresh_phone();
            fail(&backend, TRANSACT, ATTEMPTS, fault.clone());
            assert_eq!(answer(backend.ask(&phone)).await, internal_error(), "{fault:?}");
            // Errors that are not retried leave planned faults over.
            while backend.running.endpoints().faults_left() > 0 {
                assert_eq!(answer(backend.ask(&phone)).await, internal_error(), "{fault:?}");
            }
            assert!(backend.texts(&phone).await.is_empty());
            assert!(backend.code_item(&phone).await.is_none());
            assert_eq!(answer(backend.ask(&phone)).await.0, 200);
        }
    });
}

#[test]
fn a_lasting_failure_leaves_a_sign_in_undone_and_its_code_good() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        fail(&backend, TRANSACT, ATTEMPTS, Fault::internal_server_error());
        assert_eq!(backend.sign_in(&phone, &code).await, internal_error());
        assert_all_happened(&backend);
        assert!(backend.items_below("user#").await.is_empty());
        assert!(backend.item(&format!("phone#{}", phone.e164()), "claim").await.is_none());
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn a_claim_that_cannot_be_read_stops_the_sign_in_and_leaves_the_code_good() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        // The code and the claim are read in parallel.
        fail(&backend, "dynamodb:GetItem", 2 * ATTEMPTS, Fault::internal_server_error());
        assert_eq!(backend.sign_in(&phone, &code).await, internal_error());
        while backend.running.endpoints().faults_left() > 0 {
            backend.sign_in(&fresh_phone(), "123456").await;
        }
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn a_meeting_with_another_transaction_is_waited_out() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        for position in 0..2 {
            fail(&backend, TRANSACT, 1, Fault::transaction_conflict(position));
        }
        let code = backend.code_for(&phone).await;
        assert_all_happened(&backend);
        assert_eq!(backend.texts(&phone).await.len(), 1);

        fail(&backend, TRANSACT, 2, Fault::TransactionConflict { positions: vec![0] });
        fail(&backend, TRANSACT, 2, Fault::TransactionConflict { positions: vec![0, 2] });
        let (status, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), None);
        assert_all_happened(&backend);

        let access = tokens["access_token"].as_str().unwrap();
        fail(&backend, UPDATE, 2, conflict());
        assert_eq!(answer(backend.nickname(access, "Tom")).await, (200, json!({})));
        fail(&backend, TRANSACT, 2, Fault::transaction_conflict(0));
        let upload = backend.post("/audios").bearer_auth(access).body(&b"#!AMR\nabc"[..]);
        let (status, stored) = answer(upload).await;
        assert_eq!(status, 200, "{stored}");
        fail(&backend, UPDATE, 1, conflict());
        assert_eq!(answer(backend.refresh(tokens["refresh_token"].as_str().unwrap())).await.0, 200);
        assert_all_happened(&backend);
    });
}

#[test]
fn a_meeting_that_does_not_end_is_refused_and_writes_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        fail(&backend, TRANSACT, TRANSACTIONS, Fault::transaction_conflict(0));
        let refused = whole(backend.ask(&phone)).await;
        refused.assert_limited("too many requests at once for the same thing", 1);
        assert_all_happened(&backend);
        assert!(backend.texts(&phone).await.is_empty());
        let person = backend.person().await;
        fail(&backend, UPDATE, TRANSACTIONS, conflict());
        let refused = whole(backend.nickname(&person.access_token, "Tom")).await;
        refused.assert_limited("too many requests at once for the same thing", 1);
        assert_all_happened(&backend);
        fail(&backend, TRANSACT, TRANSACTIONS - 1, Fault::transaction_conflict(0));
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
        assert_all_happened(&backend);
    });
}

#[test]
fn texts_that_were_refused_count_against_no_number_block_or_country() {
    run(async {
        let parameters = [("CodesPerCountryHour", "3"), ("ConversionMinimumSends", "3")];
        let backend = Backend::frozen(&parameters).await;
        let phone = fresh_phone();
        for number in 1..=9 {
            fail(&backend, PUBLISH, 1, Fault::error(400, "OptedOut"));
            let (status, body) = answer(backend.ask(&phone.neighbour(number))).await;
            assert_eq!((status, body), refused("the text message could not be sent; request the code again"));
        }
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}
