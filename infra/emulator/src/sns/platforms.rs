//! Platform applications and their endpoints, one for each device.
//!
//! From the API reference, `CreatePlatformEndpoint` and related calls. Calls cannot create applications here; the
//! template's parameters name them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::SnsError;
use super::form::Form;
use crate::{Error, clock};

/// The most bytes of an app's custom data for an endpoint.
const LONGEST_DATA: usize = 2_048;

/// The most hexadecimal digits of Apple's tokens.
const LONGEST_APPLE_TOKEN: usize = 400;

/// A device in an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Endpoint {
    token: String,
    enabled: bool,
    data: String,
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
        let endpoints = match &file {
            None => BTreeMap::new(),
            Some(file) => match std::fs::read(file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
                read => {
                    let parsed = read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
                    parsed.map_err(Error::io(file.display().to_string()))?
                }
            },
        };
        Ok(Self { file, applications: Mutex::default(), endpoints: Mutex::new(endpoints) })
    }

    /// Registers an application.
    pub fn create_application(&self, arn: &str) {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// `CreatePlatformEndpoint`: returns the ARN of the token's endpoint, and creates it unless an equal one exists.
    pub fn create(&self, form: &Form) -> Result<String, SnsError> {
        let application = form.get("PlatformApplicationArn").unwrap_or_default();
        let known = self.applications.lock().unwrap_or_else(PoisonError::into_inner).contains(application);
        let base = application.split_once(":app/").filter(|_| known);
        let (account, path) = base.ok_or(SnsError::Missing("PlatformApplication"))?;
        let base = format!("{account}:endpoint/{path}/");
        let token = form.get("Token").unwrap_or_default();
        check_token(path, token)?;
        let mut wanted = form.map("Attributes");
        if let Some(data) = form.get("CustomUserData") {
            wanted.insert("CustomUserData".to_owned(), data.to_owned());
        }
        let mut fresh = Endpoint { token: token.to_owned(), enabled: true, data: String::new() };
        fresh.set(path, &wanted)?;
        let mut endpoints = self.endpoints();
        let existing = endpoints.iter().find(|(arn, endpoint)| arn.starts_with(&base) && endpoint.token == token);
        if let Some((arn, endpoint)) = existing {
            // Whether the endpoint is enabled matters only if the call sets it.
            let same =
                endpoint.data == fresh.data && (endpoint.enabled == fresh.enabled || !wanted.contains_key("Enabled"));
            let words = || {
                format!("Token Reason: Endpoint {arn} already exists with the same Token, but different attributes.")
            };
            return if same { Ok(arn.clone()) } else { Err(SnsError::Parameter(words())) };
        }
        let arn = format!("{base}{}", clock::random_id());
        endpoints.insert(arn.clone(), fresh);
        self.save(&endpoints)?;
        Ok(arn)
    }

    /// `GetEndpointAttributes`.
    pub fn attributes(&self, arn: &str) -> Result<BTreeMap<&'static str, String>, SnsError> {
        let endpoints = self.endpoints();
        let Endpoint { token, enabled, data } = endpoints.get(arn).ok_or(SnsError::Missing("Endpoint"))?;
        let mut attributes = BTreeMap::from([("Enabled", enabled.to_string()), ("Token", token.clone())]);
        if !data.is_empty() {
            attributes.insert("CustomUserData", data.clone());
        }
        Ok(attributes)
    }

    /// `SetEndpointAttributes`.
    pub fn set(&self, arn: &str, form: &Form) -> Result<(), SnsError> {
        let mut endpoints = self.endpoints();
        let endpoint = endpoints.get_mut(arn).ok_or(SnsError::Missing("Endpoint"))?;
        endpoint.set(application_of(arn), &form.map("Attributes"))?;
        self.save(&endpoints)
    }

    /// `DeleteEndpoint`; a missing endpoint is not an error.
    pub fn delete(&self, arn: &str) -> Result<(), SnsError> {
        let mut endpoints = self.endpoints();
        if endpoints.remove(arn).is_none() {
            return Ok(());
        }
        self.save(&endpoints)
    }

    /// The platform and token for a push to an endpoint.
    pub fn address(&self, arn: &str) -> Result<(String, String), SnsError> {
        let endpoints = self.endpoints();
        let missing = || SnsError::parameter("TargetArn Reason: No endpoint found for the target arn specified");
        let endpoint = endpoints.get(arn).ok_or_else(missing)?;
        if !endpoint.enabled {
            return Err(SnsError::Disabled);
        }
        Ok((platform_of(application_of(arn)).to_owned(), endpoint.token.clone()))
    }

    fn endpoints(&self) -> MutexGuard<'_, BTreeMap<String, Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, endpoints: &BTreeMap<String, Endpoint>) -> Result<(), SnsError> {
        let Some(file) = &self.file else { return Ok(()) };
        let fresh = file.with_extension("new");
        let content = serde_json::to_vec(endpoints).map_err(std::io::Error::other)?;
        std::fs::write(&fresh, content)?;
        Ok(std::fs::rename(&fresh, file)?)
    }
}

impl Endpoint {
    fn set(&mut self, application: &str, attributes: &BTreeMap<String, String>) -> Result<(), SnsError> {
        for (name, value) in attributes {
            match name.as_str() {
                "CustomUserData" if value.len() <= LONGEST_DATA => value.clone_into(&mut self.data),
                "CustomUserData" => {
                    return Err(SnsError::parameter("CustomUserData Reason: must be at most 2048 bytes"));
                }
                "Enabled" => {
                    let words = "Attributes Reason: Invalid value for attribute: Enabled";
                    self.enabled = value.parse().map_err(|_| SnsError::parameter(words))?;
                }
                "Token" => {
                    check_token(application, value)?;
                    value.clone_into(&mut self.token);
                }
                unknown => {
                    let words = format!("Attributes Reason: Invalid attribute name: {unknown}");
                    return Err(SnsError::Parameter(words));
                }
            }
        }
        Ok(())
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
