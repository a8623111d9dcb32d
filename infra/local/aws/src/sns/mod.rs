//! SNS: `Publish` in the query protocol. Texts to phones are kept, not sent.

mod publish;
mod texts;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use s3s::HttpResponse;
use tokio::sync::broadcast;

pub use texts::Text;

use crate::authority::{Authority, Caller};
use crate::fault::Faults;
use crate::iam::Access;
use crate::{Error, answer, signature};
use publish::{Publish, Refusal, Target};
use texts::Texts;

/// The largest request taken, in bytes; SNS messages end at 256 KiB.
pub const MAX_BODY: usize = 1024 * 1024;

/// The SNS endpoint.
pub struct Sns {
    texts: Texts,
}

impl Sns {
    /// Opens the endpoint with the texts of earlier runs (`None`: in memory).
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        let file = folder.map(|folder| folder.join("texts.jsonl"));
        Ok(Self { texts: Texts::open(file)? })
    }

    /// The texts kept, newest first; of one phone or of all.
    pub fn texts(&self, phone: Option<&str>) -> Vec<Text> {
        self.texts.newest_first(phone)
    }

    /// Hears of every text from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Text> {
        self.texts.subscribe()
    }

    /// Answers one call of a known caller.
    pub fn answer(
        &self,
        authority: &Authority,
        faults: &Faults,
        caller: &Arc<Caller>,
        (head, body): (&Parts, &Bytes),
    ) -> HttpResponse {
        if !signature::is_right(head, body, caller.secret()) {
            return answer::query_error(403, "SignatureDoesNotMatch", signature::MISMATCH);
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let action = form.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.as_str());
        if action != Some("Publish") {
            let words = "The local SNS endpoint knows only Publish.";
            return answer::query_error(400, "InvalidAction", words);
        }
        let publish = match Publish::parse(&form) {
            Ok(publish) => publish,
            Err(refusal) => return refuse(&refusal),
        };
        // A text has no resource, so only `*` (or NotResource) allows it.
        let resource = match &publish.target {
            Target::Phone(_) => "*",
            Target::Arn(arn) => arn,
        };
        if let Err(denial) = authority.authorize(caller, &Access::new("sns:Publish", resource)) {
            return answer::query_error(403, "AuthorizationError", &denial.message());
        }
        if let Some(fault) = faults.take("sns", "Publish") {
            let (status, code, message) = fault.xml();
            return answer::query_error(status, code, message);
        }
        match publish.deliver(&self.texts) {
            Ok(message_id) => publish::answer(&message_id),
            Err(refusal) => refuse(&refusal),
        }
    }
}

fn refuse(refusal: &Refusal) -> HttpResponse {
    answer::query_error(refusal.status(), refusal.code(), &refusal.to_string())
}
