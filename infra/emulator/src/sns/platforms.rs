//! Platform applications and their endpoints, one for each device.
//!
//! From the API reference, `CreatePlatformEndpoint`. Calls cannot create applications here; the template's parameters
//! name them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::SnsError;
use crate::{Error, clock, files};

/// The most hexadecimal digits of Apple's tokens.
const LONGEST_APPLE_TOKEN: usize = 400;

/// A device in an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Endpoint {
    token: String,
}

/// The applications, and all their endpoints by ARN.
#[derive(Debug)]
pub struct Platforms {
    file: Option<PathBuf>,
    applications: Mutex<BTreeSet<String>>,
    endpoints: Mutex<BTreeMap<String, Endpoint>>,
}

impl Platforms {
    /// No applications, but the endpoints of earlier runs (`None`: in memory).
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let file = folder.map(|folder| folder.join("platform-endpoints.json"));
        let endpoints = file.as_deref().map(files::read_json).transpose()?.unwrap_or_default();
        Ok(Self { file, applications: Mutex::default(), endpoints: Mutex::new(endpoints) })
    }

    /// Registers an application.
    pub fn create_application(&self, arn: &str) {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// `CreatePlatformEndpoint`: returns the ARN of the token's endpoint, and creates it unless it exists.
    pub fn create(&self, application: &str, token: &str) -> Result<String, SnsError> {
        let known = self.applications.lock().unwrap_or_else(PoisonError::into_inner).contains(application);
        let base = application.split_once(":app/").filter(|_| known);
        let (account, path) = base.ok_or(SnsError::Missing("PlatformApplication"))?;
        let base = format!("{account}:endpoint/{path}/");
        check_token(path, token)?;
        let mut endpoints = self.endpoints();
        let existing = endpoints.iter().find(|(arn, endpoint)| arn.starts_with(&base) && endpoint.token == token);
        if let Some((arn, _)) = existing {
            return Ok(arn.clone());
        }
        let arn = format!("{base}{}", clock::random_id());
        endpoints.insert(arn.clone(), Endpoint { token: token.to_owned() });
        self.save(&endpoints)?;
        Ok(arn)
    }

    /// The platform and token for a push to an endpoint.
    pub fn address(&self, arn: &str) -> Result<(String, String), SnsError> {
        let endpoints = self.endpoints();
        let missing = || SnsError::parameter("TargetArn Reason: No endpoint found for the target arn specified");
        let endpoint = endpoints.get(arn).ok_or_else(missing)?;
        Ok((platform_of(application_of(arn)).to_owned(), endpoint.token.clone()))
    }

    /// Deletes an endpoint. As in SNS, it is not an error if there is none.
    pub fn delete(&self, arn: &str) -> Result<(), SnsError> {
        let mut endpoints = self.endpoints();
        endpoints.remove(arn);
        self.save(&endpoints)
    }

    fn endpoints(&self) -> MutexGuard<'_, BTreeMap<String, Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, endpoints: &BTreeMap<String, Endpoint>) -> Result<(), SnsError> {
        let Some(file) = &self.file else { return Ok(()) };
        let content = serde_json::to_vec(endpoints).map_err(std::io::Error::other)?;
        Ok(files::replace(file, &content)?)
    }
}

/// `<platform>/<name>` of an endpoint's application.
fn application_of(endpoint: &str) -> &str {
    let path = endpoint.split_once(":endpoint/").map_or("", |(_, path)| path);
    path.rsplit_once('/').map_or(path, |(application, _)| application)
}

fn platform_of(application: &str) -> &str {
    application.split_once('/').map_or(application, |(platform, _)| platform)
}

fn check_token(application: &str, token: &str) -> Result<(), SnsError> {
    if token.is_empty() {
        return Err(SnsError::parameter("Token"));
    }
    let apple = platform_of(application).starts_with("APNS");
    if apple && (token.len() > LONGEST_APPLE_TOKEN || !token.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let words = "Token Reason: iOS device tokens must be no more than 400 hexadecimal characters";
        return Err(SnsError::parameter(words));
    }
    Ok(())
}
