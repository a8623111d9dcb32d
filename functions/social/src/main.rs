//! The `social` function on Lambda.

use shared::lambda::{self, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda::serve(social::function).await
}
