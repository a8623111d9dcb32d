//! Pictures and voice notes: what is accepted, under which name it is kept, and how thumbnails are asked for.
//!
//! An upload is what its bytes are, whatever its header says. A picture is stored without its metadata
//! ([`picture::clean`]). Audio is stored as it came: voice recorders write no place into it, and of the many containers
//! most could only be freed of what they say by being written anew.

pub mod direct;
pub mod name;
pub mod picture;
pub mod sniff;
pub mod store;
pub mod upload;

pub use direct::DirectUploads;
pub use name::{AudioName, ImageName, ImageRequest, Key, Mode, Thumbnail};
pub use sniff::{Audio, Format};
pub use store::ObjectStore;
pub use upload::Uploads;
