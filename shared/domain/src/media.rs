//! Pictures and voice notes: which are accepted, under which names they are stored, and how thumbnails are requested.
//!
//! The content of an upload decides its type, whatever its header says. A picture is stored without its metadata
//! ([`media_formats::picture::clean`]), and so is audio ([`media_formats::audio::clean`]), because phones write the place of a recording into it.

pub mod direct;
pub mod library;
pub mod media_name;
pub mod name;
pub mod store;
pub mod upload;

pub use direct::DirectUploads;
pub use library::Library;
pub use media_formats::sniff::{Audio, Format};
pub use media_name::MediaName;
pub use name::{AudioName, ImageName, ImageRequest, Key, Mode, Thumbnail, WaitingImage};
pub use store::ObjectStore;
pub use upload::Uploads;
