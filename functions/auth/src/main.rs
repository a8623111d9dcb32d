//! The `auth` function on Lambda.

use shared::lambda::{self, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda::serve(auth::function).await
}
