//! What people should hear of others: requests, acceptances, and what happens in their groups.
//!
//! Nothing is said at the time of a change. It is read off the changed items afterwards, so that what was never
//! written is never told, and what was written is told however the request that wrote it ended.

mod group;
mod news;
mod store;

pub use self::group::{GroupEvent, Operation};
pub use self::news::{Change, News};
pub use self::store::{Device, Listener, Listeners, Notice, Platform, Pushed, Pushes, Recipients, Taken, Topic};
