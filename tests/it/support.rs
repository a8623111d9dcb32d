//! Basics for every test: a running backend, a clock to set, and users with phones.

pub mod accounts;
pub mod backend;
pub mod heic;
pub mod openapi_check;
pub mod pictures;
pub mod round_trips;
pub mod table;
pub mod third_party_engines;
pub mod users;

use std::sync::{LazyLock, OnceLock};

use tokio::runtime::Runtime;

pub use self::backend::Backend;
pub use self::users::{Person, Phone, fresh_phone};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    round_trips::install();
    Runtime::new().expect("a runtime")
});

/// Runs a test on the runtime of all backends. It fails if a response is not as described.
pub fn run<F: Future>(test: F) -> F::Output {
    let output = RUNTIME.block_on(test);
    openapi_check::report();
    output
}

/// The backend shared by tests that need no special parameters and no clock of their own. It runs as in `cargo run`, in
/// memory.
pub async fn shared() -> &'static Backend {
    static SHARED: OnceLock<Backend> = OnceLock::new();
    static STARTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = STARTING.lock().await;
    if let Some(backend) = SHARED.get() {
        return backend;
    }
    let backend = Backend::start(&[]).await;
    SHARED.get_or_init(|| backend)
}
