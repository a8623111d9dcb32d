//! SNS in the query protocol: texts to phones, messages to topics, and pushes to devices. All are stored; none is sent.

mod error;
mod form;
mod journal;
mod message;
mod outbox;
mod platforms;
mod sent;
mod target;

use std::path::Path;

use s3s::HttpResponse;
use tokio::sync::broadcast;

pub use sent::{Notification, Push, Sms};

use crate::authority::Authority;
use crate::fault::Faults;
use crate::iam::Access;
use crate::signed::SignedCall;
use crate::{Error, answer, clock};
use error::SnsError;
use form::Form;
use message::Message;
use outbox::Outbox;
use target::Target;

/// The largest accepted request, in bytes; an SNS message has at most 256 KiB.
pub const MAX_BODY: usize = 1024 * 1024;

/// The SNS endpoint.
pub struct Sns(Outbox);

/// A parsed call.
enum SnsCall {
    Publish(Target, Message),
    CreateEndpoint { application: String, token: String },
    DeleteEndpoint { endpoint: String },
}

impl Sns {
    /// Opens the endpoint with the messages of earlier runs (`None`: in memory).
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        Outbox::open(folder).map(Self)
    }

    /// Registers a topic.
    pub fn create_topic(&self, arn: &str) {
        self.0.create_topic(arn);
    }

    /// Registers a platform application.
    pub fn create_application(&self, arn: &str) {
        self.0.platforms.create_application(arn);
    }

    /// The stored texts, newest first; for one phone or for all.
    pub fn texts(&self, phone: Option<&str>) -> Vec<Sms> {
        self.0.texts.newest_first(|text| phone.is_none_or(|phone| text.phone == phone))
    }

    /// Subscribes to every text from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Sms> {
        self.0.texts.subscribe()
    }

    /// The stored messages of topics, newest first.
    pub fn notifications(&self) -> Vec<Notification> {
        self.0.notifications.newest_first(|_| true)
    }

    /// The stored pushes, newest first.
    pub fn pushes(&self) -> Vec<Push> {
        self.0.pushes.newest_first(|_| true)
    }

    /// Subscribes to every push from now on.
    pub fn subscribe_pushes(&self) -> broadcast::Receiver<Push> {
        self.0.pushes.subscribe()
    }

    /// Handles one call of a registered caller.
    pub fn answer(&self, authority: &Authority, faults: &Faults, call: &SignedCall) -> HttpResponse {
        let form = Form::parse(&call.body);
        let action = form.get("Action").unwrap_or_default();
        let parsed = match SnsCall::read(action, &form) {
            Some(Ok(parsed)) => parsed,
            Some(Err(refusal)) => return refuse(&refusal),
            None => {
                return answer::query_error(400, "InvalidAction", "The local SNS endpoint does not know this call.");
            }
        };
        if let Err(denial) = authority.authorize(&call.caller, &parsed.access()) {
            return answer::query_error(403, "AuthorizationError", &denial.message());
        }
        if let Some(fault) = faults.take("sns", action) {
            let (status, code, message) = fault.xml();
            return answer::query_error(status, code, message);
        }
        let done = match parsed {
            SnsCall::Publish(target, message) => self.0.publish(target, message).map(|id| element("MessageId", &id)),
            SnsCall::DeleteEndpoint { endpoint } => self.0.platforms.delete(&endpoint).map(|()| String::new()),
            SnsCall::CreateEndpoint { application, token } => {
                self.0.platforms.create(&application, &token).map(|arn| element("EndpointArn", &arn))
            }
        };
        match done {
            Ok(result) => answered(action, &result),
            Err(refusal) => refuse(&refusal),
        }
    }
}

impl SnsCall {
    /// Parses a call; `None` if there is no such call.
    fn read(action: &str, form: &Form) -> Option<Result<Self, SnsError>> {
        match action {
            "Publish" => Some(Target::read(form).and_then(|target| Ok(Self::Publish(target, Message::read(form)?)))),
            "CreatePlatformEndpoint" => Some(Self::read_endpoint(form)),
            "DeleteEndpoint" => {
                let endpoint = form.get("EndpointArn").map(str::to_owned);
                let endpoint = endpoint.ok_or_else(|| SnsError::parameter("EndpointArn"));
                Some(endpoint.map(|endpoint| Self::DeleteEndpoint { endpoint }))
            }
            _ => None,
        }
    }

    fn read_endpoint(form: &Form) -> Result<Self, SnsError> {
        let text = |name: &str| form.get(name).map(str::to_owned).ok_or_else(|| SnsError::parameter(name));
        if form.get("CustomUserData").is_some() || !form.members("Attributes.entry").is_empty() {
            return Err(SnsError::parameter("The local SNS endpoint does not know attributes of endpoints."));
        }
        Ok(Self::CreateEndpoint { application: text("PlatformApplicationArn")?, token: text("Token")? })
    }

    /// The access that a role must allow.
    fn access(&self) -> Access {
        match self {
            Self::Publish(target, _) => Access::new("sns:Publish", target.resource()),
            Self::CreateEndpoint { application, .. } => Access::new("sns:CreatePlatformEndpoint", application),
            Self::DeleteEndpoint { endpoint } => Access::new("sns:DeleteEndpoint", endpoint),
        }
    }
}

fn refuse(refusal: &SnsError) -> HttpResponse {
    answer::query_error(refusal.status(), refusal.code(), &refusal.to_string())
}

/// The response to a successful call.
fn answered(action: &str, result: &str) -> HttpResponse {
    let namespace = "http://sns.amazonaws.com/doc/2010-03-31/";
    let metadata = element("RequestId", &clock::random_id());
    let body = format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata>{metadata}</ResponseMetadata></{action}Response>"
    );
    answer::xml(200, body)
}

fn element(name: &str, content: &str) -> String {
    format!("<{name}>{}</{name}>", answer::escape(content))
}
