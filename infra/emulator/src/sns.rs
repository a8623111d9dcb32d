//! SNS in the query protocol: texts to phones, messages to topics, and pushes to devices. All are stored; none is sent.

mod error;
mod form;
mod journal;
mod message;
mod platforms;
mod publish;
mod sent;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::request::Parts;
use s3s::HttpResponse;
use tokio::sync::broadcast;

pub use sent::{Notification, Push, Text};

use crate::authority::{Authority, Signer};
use crate::fault::Faults;
use crate::iam::Access;
use crate::{Error, answer, clock, signature};
use error::SnsError;
use form::Form;
use journal::Journal;
use message::Message;
use platforms::Platforms;
use publish::Target;

/// The largest accepted request, in bytes; an SNS message has at most 256 KiB.
pub const MAX_BODY: usize = 1024 * 1024;

/// The SNS endpoint.
pub struct Sns {
    texts: Journal<Text>,
    notifications: Journal<Notification>,
    pushes: Journal<Push>,
    topics: RwLock<BTreeSet<String>>,
    platforms: Platforms,
}

/// A parsed call.
enum Call {
    Publish(Target, Message),
    PublishBatch(String),
    CreateEndpoint(String),
    GetEndpoint(String),
    SetEndpoint(String),
    DeleteEndpoint(String),
}

impl Sns {
    /// Opens the endpoint with the messages of earlier runs (`None`: in memory).
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        let file = |name: &str| folder.map(|folder| folder.join(name));
        Ok(Self {
            texts: Journal::open(file("texts.jsonl"))?,
            notifications: Journal::open(file("notifications.jsonl"))?,
            pushes: Journal::open(file("pushes.jsonl"))?,
            topics: RwLock::default(),
            platforms: Platforms::open(folder)?,
        })
    }

    /// Registers a topic.
    pub fn create_topic(&self, arn: &str) {
        self.topics.write().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// Registers a platform application.
    pub fn create_application(&self, arn: &str) {
        self.platforms.create_application(arn);
    }

    /// The stored texts, newest first; for one phone or for all.
    pub fn texts(&self, phone: Option<&str>) -> Vec<Text> {
        self.texts.newest_first(|text| phone.is_none_or(|phone| text.phone == phone))
    }

    /// Subscribes to every text from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Text> {
        self.texts.subscribe()
    }

    /// The stored messages of topics, newest first.
    pub fn notifications(&self) -> Vec<Notification> {
        self.notifications.newest_first(|_| true)
    }

    /// The stored pushes, newest first.
    pub fn pushes(&self) -> Vec<Push> {
        self.pushes.newest_first(|_| true)
    }

    fn has_topic(&self, arn: &str) -> bool {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).contains(arn)
    }

    /// Handles one call of a registered caller.
    pub fn answer(
        &self,
        authority: &Authority,
        faults: &Faults,
        caller: &Arc<Signer>,
        (head, body): (&Parts, &Bytes),
    ) -> HttpResponse {
        if !signature::is_right(head, body, caller.secret()) {
            return answer::query_error(403, "SignatureDoesNotMatch", signature::MISMATCH);
        }
        let form = Form::parse(body);
        let action = form.get("Action").unwrap_or_default();
        let call = match Call::read(action, &form) {
            Some(Ok(call)) => call,
            Some(Err(refusal)) => return refuse(&refusal),
            None => {
                return answer::query_error(400, "InvalidAction", "The local SNS endpoint does not know this call.");
            }
        };
        if let Err(denial) = authority.authorize(caller, &call.access()) {
            return answer::query_error(403, "AuthorizationError", &denial.message());
        }
        if let Some(fault) = faults.take("sns", action) {
            let (status, code, message) = fault.xml();
            return answer::query_error(status, code, message);
        }
        match self.carry_out(call, &form) {
            Ok(result) => answered(action, &result),
            Err(refusal) => refuse(&refusal),
        }
    }

    /// Runs a permitted call; returns the content of its result.
    fn carry_out(&self, call: Call, form: &Form) -> Result<String, SnsError> {
        match call {
            Call::Publish(target, message) => Ok(element("MessageId", &self.publish(target, message)?)),
            Call::PublishBatch(topic) => {
                let members = self.publish_batch(&topic, form)?.into_iter().map(|(name, id)| {
                    format!("<member>{}{}</member>", element("Id", &name), element("MessageId", &id))
                });
                Ok(format!("<Successful>{}</Successful><Failed/>", members.collect::<String>()))
            }
            Call::CreateEndpoint(_) => Ok(element("EndpointArn", &self.platforms.create(form)?)),
            Call::GetEndpoint(arn) => {
                let mut entries = String::new();
                for (name, value) in self.platforms.attributes(&arn)? {
                    let _ = write!(entries, "<entry>{}{}</entry>", element("key", name), element("value", &value));
                }
                Ok(format!("<Attributes>{entries}</Attributes>"))
            }
            Call::SetEndpoint(arn) => self.platforms.set(&arn, form).map(|()| String::new()),
            Call::DeleteEndpoint(arn) => self.platforms.delete(&arn).map(|()| String::new()),
        }
    }
}

impl Call {
    /// Parses a call; `None` if there is no such call.
    fn read(action: &str, form: &Form) -> Option<Result<Self, SnsError>> {
        let arn = |name: &str| form.get(name).map(str::to_owned).ok_or_else(|| SnsError::parameter(name));
        Some(match action {
            "Publish" => Target::read(form).and_then(|target| Ok(Self::Publish(target, Message::read(form, "")?))),
            "PublishBatch" => arn("TopicArn").map(Self::PublishBatch),
            "CreatePlatformEndpoint" => arn("PlatformApplicationArn").map(Self::CreateEndpoint),
            "GetEndpointAttributes" => arn("EndpointArn").map(Self::GetEndpoint),
            "SetEndpointAttributes" => arn("EndpointArn").map(Self::SetEndpoint),
            "DeleteEndpoint" => arn("EndpointArn").map(Self::DeleteEndpoint),
            _ => return None,
        })
    }

    /// The access that a role must allow. `PublishBatch` has no permission of its own.
    fn access(&self) -> Access {
        match self {
            Self::Publish(target, _) => Access::new("sns:Publish", target.resource()),
            Self::PublishBatch(topic) => Access::new("sns:Publish", topic),
            Self::CreateEndpoint(application) => Access::new("sns:CreatePlatformEndpoint", application),
            Self::GetEndpoint(arn) => Access::new("sns:GetEndpointAttributes", arn),
            Self::SetEndpoint(arn) => Access::new("sns:SetEndpointAttributes", arn),
            Self::DeleteEndpoint(arn) => Access::new("sns:DeleteEndpoint", arn),
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
