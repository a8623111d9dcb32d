//! The endpoints through the real SDK clients. Every test has endpoints of its
//! own, in memory and on a port of their own.

mod dynamo;
mod events;
mod keys;
mod notifications;
mod objects;
mod persistence;
mod reads;
mod roles;
mod stack;
mod streams;
mod texts;
