//! The `notify` function on Lambda.

use shared::lambda::{self, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda::serve(notify::function).await
}
