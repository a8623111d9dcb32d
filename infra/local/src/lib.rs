//! The local run: every function behind a gateway, on embedded AWS endpoints.
//!
//! A request takes the same path as on AWS: `server` reads it from the socket, and `gateway` finds its route in
//! `template.yaml` (`matcher`), converts it to an event (`event`), invokes the function (`invoke`) and converts the
//! result to a response (`reply`), within the limits (`limits`) and with the CORS headers (`cors`) of an HTTP API.
//! `sources` invokes functions for changes of a bucket or a table. `pages` serves pages that exist only here, and
//! `fakes` replaces services on the Internet. `start` connects everything to the endpoints of `local-aws`, as
//! `deployment` reads it from the template; `describe` makes the `OpenAPI` documents;
//! `command` is the program around it.

mod banner;
mod clock;
mod command;
mod cors;
mod deployment;
mod describe;
mod error;
mod event;
mod fakes;
mod functions;
mod gateway;
mod hints;
mod inbox;
mod invoke;
mod lan;
mod limits;
mod notifications;
mod options;
mod pages;
mod registry;
mod reply;
mod route_matcher;
mod server;
mod sources;
mod start;
mod witness;

pub use command::main;
pub use deployment::LOCAL as PARAMETERS;
pub use describe::{api, documents};
pub use error::Error;
pub use fakes::Fakes;
pub use functions::Handset;
pub use gateway::Gateway;
pub use inbox::Text;
pub use invoke::{BuiltFunction, Invoke};
pub use options::Options;
pub use pages::{Inbox, Notifications, Pages};
pub use server::Server;
pub use start::{Functions, Running, start, start_before};
pub use witness::{Exchange, Witness};
