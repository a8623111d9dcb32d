//! The local run: every function behind a gateway, on embedded AWS endpoints.
//!
//! A request takes the way it takes on AWS: `server` reads it from the socket, `gateway` matches
//! it to a route of `template.yaml` (`matcher`), turns it into an event (`event`), invokes the
//! function (`invoke`) and turns the result into a response (`reply`), within the limits
//! (`limits`) and with the CORS headers (`cors`) of an HTTP API. `sources` hands on what comes from a
//! bucket or a table instead. `pages` answers what only exists here, and `standins` what answers
//! elsewhere on the Internet. `start` wires it all to the endpoints of `local-aws`, by what `deployment` makes of the
//! template; `command` is the program around it.

mod banner;
mod clock;
mod command;
mod cors;
mod deployment;
mod error;
mod event;
mod functions;
mod gateway;
mod inbox;
mod invoke;
mod limits;
mod matcher;
mod notifications;
mod options;
mod pages;
mod reply;
mod server;
mod sources;
mod standins;
mod start;

pub use command::main;
pub use deployment::LOCAL as PARAMETERS;
pub use error::Error;
pub use functions::{Handset, api};
pub use gateway::Gateway;
pub use inbox::Text;
pub use invoke::{Function, Invoke};
pub use options::Options;
pub use pages::{Inbox, Notifications, Pages};
pub use server::Server;
pub use standins::Standins;
pub use start::{Functions, Running, start};
