//! The `profiles` function on Lambda.

use runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::serve(profiles::function).await
}
