//! Deploys `template.yaml` to this machine: parameters, secrets, names.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use emulator::template::{Deployment, Stack, Template};

use crate::{Error, clock};

/// The template's file name.
const FILE: &str = "template.yaml";

/// Parameters with another value locally than when deployed. All requests come from 127.0.0.1 and texts are free, so
/// the limits per IP address and country are off (0), and every country is allowed. Responses include codes, so a
/// script needs no inbox. Devices of both platforms receive pushes.
pub const LOCAL: [(&str, &str); 12] = [
    ("ExposeCodes", "true"),
    ("AllowedCountries", "*"),
    ("CodesPerIpHour", "0"),
    ("FailuresPerIp", "0"),
    ("AnonymousRoomsPerIpHour", "0"),
    ("AnonymousAccountsPerIpHour", "0"),
    ("AccountsPerIpHour", "0"),
    ("ChecksPerIpDay", "0"),
    ("CodesPerCountryHour", "0"),
    ("CodesPerCountryDay", "0"),
    ("ApnsApplicationArn", "arn:aws:sns:us-east-1:000000000000:app/APNS/local"),
    ("FcmApplicationArn", "arn:aws:sns:us-east-1:000000000000:app/GCM/local"),
];

/// The path of the template: in the repository this was built from, or, if that has moved, above the current folder.
pub fn find() -> Result<PathBuf, Error> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    let current = std::env::current_dir().ok();
    let starts = [Some(built), current];
    starts
        .into_iter()
        .flatten()
        .find_map(|start| {
            let mut above = start.ancestors().map(|folder| folder.join(FILE));
            above.find(|path| path.is_file())
        })
        .ok_or(Error::NoTemplate)
}

/// Reads the template and resolves it with the local values, then with `parameters`. Secrets are generated once and
/// stored in `data`.
pub fn resolve(template: &Path, parameters: &[(String, String)], data: Option<&Path>) -> Result<Stack, Error> {
    let text = fs::read_to_string(template).map_err(|source| Error::io(template.display().to_string(), source))?;
    let template = Template::parse(&text)?;
    let local = LOCAL.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut deployment = Deployment {
        parameters: BTreeMap::from(local),
        region: emulator::REGION.into(),
        account: emulator::ACCOUNT.into(),
        stack_name: "handset".into(),
        ..Deployment::default()
    };
    deployment.parameters.extend(parameters.iter().cloned());
    deployment.secrets = secrets(&template, &deployment, data)?;
    Ok(template.resolve(&deployment)?)
}

/// The value of every secret, by ARN and by name.
fn secrets(
    template: &Template,
    deployment: &Deployment,
    data: Option<&Path>,
) -> Result<BTreeMap<String, String>, Error> {
    let file = data.map(|folder| folder.join("secrets.json"));
    let mut kept = match &file {
        Some(file) => read_kept(file)?,
        None => BTreeMap::new(),
    };
    let mut values = BTreeMap::new();
    let mut made = false;
    for secret in template.secrets(deployment)? {
        if !kept.contains_key(&secret.name) {
            kept.insert(secret.name.clone(), secret.generate(clock::random)?);
            made = true;
        }
        // The current version is stored under the secret's name, and others under the name and their id; so a rotation
        // can be tried.
        for (name, value) in &kept {
            let Some(version) = name.strip_prefix(&secret.name) else { continue };
            if version.is_empty() || version.starts_with(':') {
                values.insert(name.clone(), value.clone());
                values.insert(format!("{}{version}", secret.arn), value.clone());
            }
        }
    }
    if let Some(file) = file
        && made
    {
        write_private(&file, &serde_json::json!(kept).to_string())?;
    }
    Ok(values)
}

fn read_kept(file: &Path) -> Result<BTreeMap<String, String>, Error> {
    let at = || file.display().to_string();
    match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Error::io(at(), error)),
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::io(at(), std::io::Error::other(error))),
    }
}

/// Writes a file atomically; only its owner may read it.
pub(crate) fn write_private(file: &Path, content: &str) -> Result<(), Error> {
    let write = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = file.with_extension("new");
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut written = options.open(&fresh)?;
        written.write_all(content.as_bytes())?;
        written.sync_all()?;
        fs::rename(&fresh, file)
    };
    write().map_err(|source| Error::io(file.display().to_string(), source))
}
