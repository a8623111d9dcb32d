//! The `jobs` function on Lambda.

use runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(jobs::function).await
}
