//! Tests of the endpoints with the real SDK clients. Every test has its own endpoints, in memory and on their own port.

mod dynamo;
mod events;
mod fixture;
mod keys;
mod notifications;
mod objects;
mod persistence;
mod reads;
mod roles;
mod sms;
mod stream_mappings;
mod streams;
mod template;
