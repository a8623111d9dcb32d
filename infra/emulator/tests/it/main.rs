//! Tests of the endpoints with the real SDK clients. Every test has its own endpoints, in memory and on their own port.

mod dynamo;
mod kms;
mod object_events;
mod persistence;
mod queue_events;
mod queue_subscriptions;
mod queues;
mod roles;
mod s3_reads;
mod s3_versions;
mod s3_writes;
mod sms;
mod stream_deliveries;
mod stream_subscriptions;
mod support;
mod template;
mod topics_and_pushes;
