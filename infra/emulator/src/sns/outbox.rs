//! The published messages, by the kind of their target. All are stored; none is sent.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::error::SnsError;
use super::journal::Journal;
use super::message::Message;
use super::platforms::Platforms;
use super::sent::{Notification, Push, Sms};
use super::target::Target;
use crate::{Error, clock};

/// The messages, and the targets that exist.
pub struct Outbox {
    /// Texts to phones.
    pub texts: Journal<Sms>,
    /// Messages of topics.
    pub notifications: Journal<Notification>,
    /// Pushes to devices.
    pub pushes: Journal<Push>,
    /// Platform applications and their endpoints.
    pub platforms: Platforms,
    topics: RwLock<BTreeSet<String>>,
}

impl Outbox {
    /// Reads the messages of earlier runs (`None`: in memory).
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let file = |name: &str| folder.map(|folder| folder.join(name));
        Ok(Self {
            texts: Journal::open(file("texts.jsonl"))?,
            notifications: Journal::open(file("notifications.jsonl"))?,
            pushes: Journal::open(file("pushes.jsonl"))?,
            platforms: Platforms::open(folder)?,
            topics: RwLock::default(),
        })
    }

    /// Registers a topic.
    pub fn create_topic(&self, arn: &str) {
        self.topics.write().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// Stores a message and returns its id.
    pub fn publish(&self, target: Target, message: Message) -> Result<String, SnsError> {
        let (sent_at, id) = (clock::epoch_millis(), clock::random_id());
        let message_id = id.clone();
        match target {
            Target::Phone(phone) => {
                let (body, attributes) = message.for_phone()?;
                self.texts.keep(Sms { phone, body, sent_at, message_id, attributes })?;
            }
            Target::Topic(topic) => {
                if !self.topics.read().unwrap_or_else(PoisonError::into_inner).contains(&topic) {
                    return Err(SnsError::Missing("Topic"));
                }
                let (message, attributes) = message.plain()?;
                self.notifications.keep(Notification { topic, message, attributes, sent_at, message_id })?;
            }
            Target::Endpoint(endpoint) => {
                let (platform, token) = self.platforms.address(&endpoint)?;
                let payload = message.for_platform(&platform)?;
                self.pushes.keep(Push { endpoint, platform, token, payload, sent_at, message_id })?;
            }
        }
        Ok(id)
    }
}
