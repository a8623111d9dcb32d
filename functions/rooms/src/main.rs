//! The `rooms` function on Lambda.

use runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(rooms::function).await
}
