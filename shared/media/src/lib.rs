//! Reads the files of pictures and voice notes: their format, the size and orientation of a picture, and the parts of a
//! file that can stay without revealing anything about its author.
//!
//! For any bytes, the result is a value or an error, never a panic.

pub mod audio;
pub mod exif;
pub mod heic;
pub mod jpeg;
pub mod picture;
pub mod reader;
pub mod riff;
pub mod sniff;

/// The limits of a picture. Both are checked before a pixel is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels (width times height) that the header may claim.
    pub max_pixels: u64,
    /// The most bytes that the decoded picture, and the decoder's own buffers where it counts them, may take.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 50 million pixels, and 512 MiB, which holds them even at 16 bits a channel.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_bytes: 512 * 1024 * 1024 }
    }
}

/// Why a picture cannot be read, or no thumbnail can be made of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a picture of an accepted format.
    #[error("{}", sniff::NOT_A_PICTURE)]
    NotAPicture,
    /// The bytes are a rare kind of picture that is not supported. The text names the kind.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The header claims more pixels than [`Limits::max_pixels`], or none at all.
    #[error("a picture of {width} by {height} pixels is not within the limit")]
    TooManyPixels {
        /// Width that the header claims, in pixels.
        width: u32,
        /// Height that the header claims, in pixels.
        height: u32,
    },
    /// Decoding would take more than [`Limits::max_bytes`].
    #[error("decoding the picture takes more memory than the limit")]
    TooMuchMemory,
    /// The file is cut short or damaged.
    #[error("the picture is cut short or damaged")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The box of a thumbnail has no width or no height.
    #[error("a thumbnail needs a width and a height")]
    EmptyBox,
    /// A thumbnail could not be written.
    #[error("the thumbnail could not be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}
