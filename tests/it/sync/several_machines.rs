//! The `social` function on several machines, with clocks that differ by seconds and slow connections to the table,
//! whose delay changes with each call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::clock::{Clock, Timestamp};
use domain::crypto::SystemRandom;
use domain::random::below;
use futures::future::BoxFuture;
use local::{Functions, Handset, Invoke};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The offsets of the machines' clocks, in milliseconds.
const OFF: [i64; 4] = [-3_500, 0, 1_700, 6_000];
/// The longest delay of a call or its response.
const HELD_UP: Duration = Duration::from_millis(6);

struct Off(Arc<dyn Clock>, i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now().millis() + self.1)
    }
}

/// Builds `social` once for each machine, and every other function once.
pub struct Machines(pub Handset);

impl Functions for Machines {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        Box::pin(async move {
            if binary != "social" {
                return self.0.build(binary, environment).await;
            }
            let mut machines = Vec::new();
            for off in OFF {
                let handset = Handset { clock: Arc::new(Off(self.0.clock.clone(), off)), ..self.0.clone() };
                let mut environment = environment.clone();
                let slow = slow_way_to(environment["AWS_ENDPOINT_URL"].clone()).await;
                environment.insert("AWS_ENDPOINT_URL".to_owned(), slow);
                machines.push(handset.build(binary, &environment).await?);
            }
            Ok(Arc::new(Fleet { machines, next: AtomicUsize::new(0) }) as Arc<dyn Invoke>)
        })
    }

    fn openapi(&self) -> Value {
        self.0.openapi()
    }
}

/// Passes each request to the next machine.
struct Fleet {
    machines: Vec<Arc<dyn Invoke>>,
    next: AtomicUsize,
}

impl Invoke for Fleet {
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.machines.len();
        self.machines[next].invoke(payload, request_id, deadline_ms)
    }
}

/// Opens a connection to an endpoint on which everything is delayed by a random time; returns its URL.
async fn slow_way_to(endpoint: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let target = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&target).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(hold_up(near_in, far_out));
            tokio::spawn(hold_up(far_in, near_out));
        }
    });
    url
}

async fn hold_up(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let micros = below(&SystemRandom, u64::try_from(HELD_UP.as_micros()).expect("a short time"));
        tokio::time::sleep(Duration::from_micros(micros)).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
