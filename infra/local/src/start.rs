//! Starting everything and stopping it again.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use emulator::template::Stack;
use emulator::{Endpoints, Principal};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::fakes::Fakes;
use crate::gateway::Gateway;
use crate::inbox::Text;
use crate::invoke::Invoke;
use crate::options::Options;
use crate::pages::Pages;
use crate::server::Server;
use crate::witness::Witness;
use crate::{Error, deployment, lan, notifications, sources};

/// Builds functions; the local run knows them only by their names.
pub trait Functions: Send + Sync {
    /// Builds the function of this binary with the environment it would have on Lambda, so that its SDK clients reach
    /// the local endpoints with its own credentials. The error is for the user at the terminal.
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>>;

    /// The `OpenAPI` document of all functions.
    fn openapi(&self) -> Value;
}

/// A local run that is up.
pub struct Running {
    endpoints: Arc<Endpoints>,
    fakes: Fakes,
    server: Option<Server>,
    /// The addresses at which other devices reach this machine, if it listens there.
    reached: Option<Vec<IpAddr>>,
    stack: Stack,
    environments: BTreeMap<String, BTreeMap<String, String>>,
    data: Option<PathBuf>,
}

impl Running {
    /// The gateway's URL without a trailing slash, or that of the AWS endpoints when only those
    /// run.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.server {
            Some(server) => server.url(),
            None => self.endpoints.url().to_owned(),
        }
    }

    /// The URLs at which other devices reach the gateway, the likeliest first. `None` where it does not listen for them.
    #[must_use]
    pub fn urls_for_devices(&self) -> Option<Vec<String>> {
        let (reached, server) = (self.reached.as_ref()?, self.server.as_ref()?);
        Some(reached.iter().map(|address| format!("http://{}", SocketAddr::new(*address, server.port()))).collect())
    }

    /// The AWS endpoints.
    #[must_use]
    pub fn endpoints(&self) -> &Arc<Endpoints> {
        &self.endpoints
    }

    /// The fakes for services outside AWS.
    #[must_use]
    pub fn fakes(&self) -> &Fakes {
        &self.fakes
    }

    /// The resolved template.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The environment of every function, by its binary.
    #[must_use]
    pub fn environments(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.environments
    }

    /// The data folder, if data is kept.
    #[must_use]
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Takes no more requests, lets those under way finish for a few seconds, and stops.
    pub async fn stop(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
        self.endpoints.shutdown().await;
    }
}

/// Starts the endpoints, makes table, bucket, topic and queues, builds the functions and opens the gateway.
pub async fn start(options: Options, functions: &dyn Functions) -> Result<Running, Error> {
    start_before(None, options, functions).await
}

/// The same, with a witness of everything that passes the gateway.
pub async fn start_before(
    witness: Option<Arc<dyn Witness>>,
    options: Options,
    functions: &dyn Functions,
) -> Result<Running, Error> {
    let template = deployment::find()?;
    let home = template.parent().unwrap_or(Path::new("")).to_owned();
    let data = options.data.map(|folder| home.join(folder));
    let reached = lan::addresses(options.host);
    let endpoints = emulator::EndpointOptions {
        data: data.clone(),
        host: options.host,
        // The links that functions sign are followed by the devices that call the API.
        reached_at: reached.iter().flatten().next().copied().unwrap_or(Ipv4Addr::LOCALHOST.into()),
        port: if options.aws_only { options.port } else { 0 },
    };
    let endpoints = Endpoints::start(endpoints).await.map_err(port_taken(options.port))?;
    let endpoints = Arc::new(endpoints);
    // After the endpoints, which hold the data folder for this process alone.
    let fakes = Fakes::start().await.map_err(|error| Error::io("a port for the fakes", error))?;
    let parameters = [fakes.parameters(), options.parameters].concat();
    let stack = deployment::resolve(&template, &parameters, data.as_deref())?;
    for table in &stack.tables {
        endpoints.create_table(&table.properties)?;
    }
    for bucket in &stack.buckets {
        endpoints.create_bucket(&bucket.name, bucket.is_versioned())?;
    }
    for key in &stack.keys {
        endpoints.create_key(&key.arn);
    }
    for topic in &stack.topics {
        endpoints.create_topic(&topic.arn);
    }
    for queue in &stack.queues {
        endpoints.create_queue(queue);
    }
    for application in platform_applications(&stack) {
        endpoints.create_platform_application(application);
    }
    let mut running = Running {
        environments: environments(&stack, &endpoints, options.aws_only)?,
        endpoints,
        fakes,
        server: None,
        reached,
        stack,
        data,
    };
    if !options.aws_only {
        let address = SocketAddr::new(options.host, options.port);
        running.server = Some(open(&running, functions, address, witness).await?);
    }
    Ok(running)
}

/// The platform applications in the functions' environment. No resource of the template creates them: on AWS they are
/// there before.
fn platform_applications(stack: &Stack) -> impl Iterator<Item = &str> {
    let values = stack.functions.iter().flat_map(|function| function.environment.values());
    values.map(String::as_str).filter(|value| value.starts_with("arn:aws:sns:") && value.contains(":app/"))
}

/// Builds the functions and puts the gateway and the events in front of them.
async fn open(
    running: &Running,
    functions: &dyn Functions,
    address: SocketAddr,
    witness: Option<Arc<dyn Witness>>,
) -> Result<Server, Error> {
    let mut built = BTreeMap::new();
    for (binary, environment) in &running.environments {
        let invoke = functions.build(binary, environment).await;
        let invoke = invoke.map_err(|reason| Error::Function { name: binary.clone(), reason })?;
        built.insert(binary.clone(), invoke);
    }
    sources::subscribe(&running.stack, &running.endpoints, &built).await?;
    let gateway = Gateway::new(&running.stack, &built, emulator::ACCOUNT);
    let gateway = gateway.map_err(|reason| Error::Function { name: "gateway".into(), reason })?.with_witness(witness);
    let endpoints = Arc::clone(&running.endpoints);
    let inbox = move |phone: Option<&str>| {
        let texts = endpoints.texts(phone).into_iter();
        texts.map(Text::from).collect()
    };
    let endpoints = Arc::clone(&running.endpoints);
    let told = move || notifications::all(&endpoints);
    let pages = Pages::new(Box::new(inbox), Box::new(told), &functions.openapi());
    Server::start_on(address, gateway, Some(pages)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(address.port()),
        _ => Error::io(address.to_string(), error),
    })
}

/// The environment of every function, with credentials that may do what its statements say.
/// Functions that run elsewhere (`aws_only`) share an administrator's, because tools that start
/// them hand one set of credentials to all.
fn environments(
    stack: &Stack,
    endpoints: &Endpoints,
    aws_only: bool,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let administrator = principal("administrator", None);
    let mut environments = BTreeMap::new();
    for function in &stack.functions {
        let own =
            if aws_only { administrator.clone() } else { principal(&function.binary, Some(function.policies.clone())) };
        let mut environment = function.environment.clone();
        let region = emulator::REGION;
        for (name, value) in [
            ("AWS_ENDPOINT_URL", endpoints.url()),
            ("AWS_REGION", region),
            ("AWS_ACCESS_KEY_ID", &own.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &own.secret_access_key),
        ] {
            environment.insert(name.into(), value.into());
        }
        environments.insert(function.binary.clone(), environment);
        if !aws_only {
            endpoints.register(own)?;
        }
    }
    if aws_only {
        endpoints.register(administrator)?;
    }
    Ok(environments)
}

/// Credentials in the form AWS gives them: twenty capitals and digits, and a secret of forty
/// characters. They are the same on every run, so that presigned URLs outlive one.
fn principal(name: &str, statements: Option<Vec<Value>>) -> Principal {
    let capitals = name.to_uppercase();
    let letters: String = capitals.chars().filter(char::is_ascii_alphanumeric).collect();
    Principal {
        name: name.to_owned(),
        access_key_id: format!("LOCAL{letters:0<15.15}"),
        secret_access_key: format!("local/{name:/<34.34}"),
        statements,
    }
}

fn port_taken(port: u16) -> impl FnOnce(emulator::Error) -> Error {
    move |error| match error {
        emulator::Error::Io { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Error::PortTaken(port),
        other => other.into(),
    }
}

impl From<emulator::Sms> for Text {
    fn from(text: emulator::Sms) -> Self {
        Self { phone: text.phone, body: text.body, sent_at: text.sent_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_have_the_form_of_aws_and_differ() {
        let names = ["codes", "auth", "administrator", "a-very-long-function-name"];
        let made = names.map(|name| principal(name, None));
        for one in &made {
            assert_eq!((one.access_key_id.len(), one.secret_access_key.len()), (20, 40));
        }
        assert_eq!(made[0].access_key_id, "LOCALCODES0000000000");
        assert_ne!(made[0].access_key_id, made[1].access_key_id);
    }
}
