//! Notifications of what other users did: friend requests, acceptances, and events in groups.
//!
//! No notification is sent at the time of a change. They are created later from the changed items. So a notification is
//! never sent for a change that was not written, and one is sent for every change that was, however the request ended.

mod event;
mod store;

pub use self::event::{Change, NotificationEvent};
pub use self::store::{
    CountedPush, Device, EventPublisher, Listener, Listeners, Notice, Platform, PushCounts, PushEndpoints, PushSender,
    Pushed, Recipients, Taken,
};
