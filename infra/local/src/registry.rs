//! The functions of this repository: how each is built, and the API that it describes.

use runtime::{ConfigError, Function, Services};
use utoipa::openapi::OpenApi;

/// A function of this repository.
struct Listed {
    /// Its binary, as the template names it.
    binary: &'static str,
    build: fn(&Services) -> Result<Box<dyn Function>, ConfigError>,
    /// The description of its part of the APIs, if it serves one.
    api: Option<fn() -> OpenApi>,
}

/// Every function.
const FUNCTIONS: [Listed; 9] = [
    Listed { binary: "auth", build: |services| Ok(Box::new(auth::function(services)?)), api: Some(auth::api) },
    Listed { binary: "codes", build: |services| Ok(Box::new(codes::function(services)?)), api: Some(codes::api) },
    Listed { binary: "jobs", build: |services| Ok(Box::new(jobs::function(services)?)), api: None },
    Listed { binary: "media", build: |services| Ok(Box::new(media::function(services)?)), api: Some(media::api) },
    Listed { binary: "notify", build: |services| Ok(Box::new(notify::function(services)?)), api: None },
    Listed {
        binary: "profiles",
        build: |services| Ok(Box::new(profiles::function(services)?)),
        api: Some(profiles::api),
    },
    Listed { binary: "resize", build: |services| Ok(Box::new(resize::function(services)?)), api: Some(resize::api) },
    Listed { binary: "rooms", build: |services| Ok(Box::new(rooms::function(services)?)), api: Some(rooms::api) },
    Listed { binary: "social", build: |services| Ok(Box::new(social::function(services)?)), api: Some(social::api) },
];

/// The descriptions of all functions that serve an API.
pub fn apis() -> impl Iterator<Item = OpenApi> {
    FUNCTIONS.iter().filter_map(|function| function.api).map(|api| api())
}

/// Builds the function whose binary has this name in the template.
pub fn build(binary: &str, services: &Services) -> Result<Box<dyn Function>, String> {
    let listed = FUNCTIONS.iter().find(|function| function.binary == binary);
    let listed =
        listed.ok_or_else(|| format!("template.yaml names a binary {binary} that this workspace does not have"))?;
    (listed.build)(services).map_err(|error| error.to_string())
}
