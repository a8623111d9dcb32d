//! The function `jobs`: jobs that fail come again, and end in a queue of their own if they always fail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use emulator::Fault;
use futures::future::BoxFuture;
use local::{Functions, Handset, Invoke, Options};
use serde_json::{Value, json};

use super::group_helpers::{crowd, note_job, partition, settled};
use super::{Someone, done};
use crate::support::{Backend, run};

/// The repository's functions, of which `jobs` is stopped while it works on the next so many jobs.
struct Stopped {
    handset: Handset,
    left: Arc<AtomicUsize>,
}

impl Functions for Stopped {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        Box::pin(async move {
            let function = self.handset.build(binary, environment).await?;
            let left = Arc::clone(&self.left);
            Ok(if binary == "jobs" { Arc::new(Stops { function, left }) as Arc<dyn Invoke> } else { function })
        })
    }

    fn openapi(&self) -> Value {
        self.handset.openapi()
    }
}

struct Stops {
    function: Arc<dyn Invoke>,
    left: Arc<AtomicUsize>,
}

impl Invoke for Stops {
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        let event: Value = serde_json::from_slice(&payload).expect("JSON");
        let is_job = event["Records"][0]["eventSource"] == "aws:sqs";
        let stops = |left: usize| (is_job && left > 0).then(|| left - 1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, stops).is_ok() {
            return Box::pin(async { Err("stopped".to_owned()) });
        }
        self.function.invoke(payload, request_id, deadline_ms)
    }
}

/// A backend whose `jobs` is stopped so many times.
async fn stopped(times: usize) -> (Backend, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(times));
    let options = Options { port: 0, data: None, ..Options::default() };
    let functions = |handset| Stopped { handset, left: Arc::clone(&left) };
    (Backend::with(options, functions).await.expect("the backend starts"), left)
}

#[test]
fn a_job_that_is_stopped_is_done_by_the_next_invocation() {
    run(async {
        let (backend, left) = stopped(3).await;
        let owner = Someone::new(&backend, "Owner").await;
        let others = crowd(&backend, &owner, 120).await;
        let group = owner.founds(&backend, &others.iter().collect::<Vec<_>>()).await;
        assert_eq!(owner.acts(&backend, "dismiss", &group, &[]).await, done());
        settled(&backend).await;
        assert_eq!(left.load(Ordering::SeqCst), 0);
        assert!(backend.item(&partition(&group), "job").await.is_none());
        for someone in others.iter().chain([&owner]) {
            assert!(!someone.lists(&backend, &group).await.0);
        }
    });
}

#[test]
fn a_job_that_always_fails_waits_among_the_failed_and_can_be_moved_back() {
    run(async {
        let (backend, left) = stopped(usize::MAX).await;
        let owner = Someone::new(&backend, "Owner").await;
        let group = owner.founds(&backend, &[]).await;
        note_job(&backend, &group).await;
        backend.settled().await;
        let failed = backend.in_queue("FailedJobs");
        let [message] = &failed[..] else { panic!("{failed:?}") };
        let job: Value = serde_json::from_str(&message.body).expect("JSON");
        assert_eq!((&job["job"], message.receives), (&json!("finish_group"), 20));
        assert!(backend.item(&partition(&group), "job").await.is_some(), "the work is still noted");
        left.store(0, Ordering::SeqCst);
        let url = &backend.running.environments()["jobs"]["JOBS_QUEUE_URL"];
        let client = aws_sdk_sqs::Client::new(backend.administrator());
        client.send_message().queue_url(url).message_body(&message.body).send().await.expect("sent");
        backend.settled().await;
        assert!(backend.item(&partition(&group), "job").await.is_none());
    });
}

#[test]
fn a_job_that_cannot_be_queued_is_queued_when_the_stream_is_read_again() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = Someone::new(&backend, "Owner").await;
        let group = owner.founds(&backend, &[]).await;
        settled(&backend).await;
        backend.running.endpoints().fail_next("sqs:SendMessageBatch", 2, Fault::error(403, "AccessDenied"));
        note_job(&backend, &group).await;
        settled(&backend).await;
        assert_eq!(backend.running.endpoints().faults_left(), 0);
        assert!(backend.item(&partition(&group), "job").await.is_none());
    });
}
