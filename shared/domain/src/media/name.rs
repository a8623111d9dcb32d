//! The names of stored media. A name consists of 128 random bits in hexadecimal and the extension for the file's type.
//! So a name cannot be guessed, and it cannot lead anywhere else in the bucket: a text that does not have exactly this
//! form is not a name.

use std::fmt;

use media_formats::sniff::{Audio, Format};

use crate::account::UserId;
use crate::random::{self, Random};
use crate::{Error, Result};

/// Number of hexadecimal digits in a name: 128 bits.
const DIGITS: usize = 32;

/// The key of an object in the bucket. Keys are built only from names, so a request path never becomes a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The picture with this key below `originals/images/`, as events of the bucket report it.
    #[must_use]
    pub fn image(text: &str) -> Option<ImageName> {
        text.strip_prefix(IMAGES).and_then(|name| ImageName::parse(name).ok())
    }

    /// The picture with this key below `uploads/images/`, which has not been processed yet.
    #[must_use]
    pub fn waiting_image(text: &str) -> Option<WaitingImage> {
        let (owner, name) = text.strip_prefix(WAITING_IMAGES)?.split_once('/')?;
        let waiting = WaitingImage { owner: owner.parse().ok()?, name: ImageName::parse(name).ok()? };
        // `+7` and `007` parse as numbers too.
        (waiting.key().as_str() == text).then_some(waiting)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const IMAGES: &str = "originals/images/";
const AUDIOS: &str = "originals/audios/";
const THUMBNAILS: &str = "thumbnails/";
/// The prefix of notes that say why a picture has no thumbnails. Nothing is served from here.
const REFUSALS: &str = "refusals/";
/// The prefix of objects that clients upload directly to the bucket. Nothing is served from here.
const WAITING_IMAGES: &str = "uploads/images/";

/// The parts of both kinds of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name {
    id: u128,
    extension: &'static str,
}

impl Name {
    fn generate(random: &dyn Random, extension: &'static str) -> Self {
        Self { id: u128::from_be_bytes(random::bytes(random)), extension }
    }

    fn parse(text: &str, mut extensions: impl Iterator<Item = &'static str>) -> Option<Self> {
        let (digits, extension) = text.split_once('.')?;
        // `from_str_radix` alone would also accept capitals and a sign, and one object would have many names.
        let exact = digits.len() == DIGITS && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let id = exact.then(|| u128::from_str_radix(digits, 16).ok())??;
        let extension = extensions.find(|known| *known == extension)?;
        Some(Self { id, extension })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}.{}", self.id, self.extension)
    }
}

/// The name of a picture, such as `9f86d081884c7d659a2feaa0c55ad015.jpg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(Name);

impl ImageName {
    /// A new name for a picture of this format.
    #[must_use]
    pub fn generate(random: &dyn Random, format: Format) -> Self {
        Self(Name::generate(random, format.extension()))
    }

    /// Parses a name; any other text gives [`Error::NotFound`].
    pub fn parse(text: &str) -> Result<Self> {
        let extensions = Format::ALL.iter().map(|format| format.extension());
        Name::parse(text, extensions).map(Self).ok_or(Error::NotFound("image"))
    }

    /// The path that serves the picture, `/images/<name>`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/images/{self}")
    }

    /// The key of the original.
    #[must_use]
    pub fn key(&self) -> Key {
        Key(format!("{IMAGES}{self}"))
    }

    /// The key of the note that says why the picture has no thumbnails. A lifecycle rule deletes the note.
    #[must_use]
    pub fn refusal_key(&self) -> Key {
        Key(format!("{REFUSALS}{self}"))
    }

    /// The format that belongs to the name's extension.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.extension() == self.0.extension)
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A picture that a client uploads to the bucket, before it is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingImage {
    /// The account to which the presigned upload was issued. It is part of the key, which the presigned upload fixes.
    pub owner: UserId,
    /// The name under which it will be served.
    pub name: ImageName,
}

impl WaitingImage {
    /// The key to which the client uploads it.
    #[must_use]
    pub fn key(&self) -> Key {
        Key(format!("{WAITING_IMAGES}{}/{}", self.owner, self.name))
    }
}

/// The name of a voice note, such as `9f86d081884c7d659a2feaa0c55ad015.amr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioName(Name);

impl AudioName {
    /// A new name for a voice note of this kind.
    #[must_use]
    pub fn generate(random: &dyn Random, audio: Audio) -> Self {
        Self(Name::generate(random, audio.extension()))
    }

    /// Parses a name; any other text gives [`Error::NotFound`].
    pub fn parse(text: &str) -> Result<Self> {
        let extensions = Audio::ALL.iter().map(|audio| audio.extension());
        Name::parse(text, extensions).map(Self).ok_or(Error::NotFound("audio"))
    }

    /// The path that serves the voice note, `/audios/<name>`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/audios/{self}")
    }

    /// The key of the voice note.
    #[must_use]
    pub fn key(&self) -> Key {
        Key(format!("{AUDIOS}{self}"))
    }

    /// The kind of audio that belongs to the name's extension.
    #[must_use]
    pub fn kind(&self) -> Option<Audio> {
        Audio::ALL.into_iter().find(|audio| audio.extension() == self.0.extension)
    }
}

impl fmt::Display for AudioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a thumbnail is fitted to its box. Neither mode enlarges a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `0c`: scaled to fit inside the box.
    Contain,
    /// `1c`: fills the box; the picture is cropped around its middle.
    Cover,
}

/// A thumbnail that is available: its square box, and how the picture is fitted to the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbnail {
    side: u32,
    mode: Mode,
}

impl Thumbnail {
    /// All available thumbnails: both sizes of the messenger API, in both modes.
    pub const ALL: [Self; 4] = [
        Self { side: 128, mode: Mode::Contain },
        Self { side: 128, mode: Mode::Cover },
        Self { side: 256, mode: Mode::Contain },
        Self { side: 256, mode: Mode::Cover },
    ];

    /// The side length of its box in pixels.
    #[must_use]
    pub const fn side(self) -> u32 {
        self.side
    }

    /// How it is fitted to its box.
    #[must_use]
    pub const fn mode(self) -> Mode {
        self.mode
    }

    /// The key of this thumbnail of a picture. Only `originals/images/` triggers the event that creates thumbnails, so
    /// storing a thumbnail does not trigger it again.
    #[must_use]
    pub fn key(self, image: &ImageName) -> Key {
        Key(format!("{THUMBNAILS}{image}@{self}"))
    }

    /// Parses `{w}w_{h}h_{c}c`, with or without an extension, which has no meaning.
    fn parse(text: &str) -> Result<Self> {
        const UNKNOWN: Error = Error::NotFound("image");
        const NOT_OFFERED: Error = Error::Invalid { field: "thumbnail size", rule: "must be 128w_128h or 256w_256h" };
        const NO_MODE: Error = Error::Invalid { field: "thumbnail mode", rule: "must be 0c (fit) or 1c (crop)" };

        let (size, extension) = text.split_once('.').map_or((text, None), |(size, extension)| (size, Some(extension)));
        let known = |extension| Format::ALL.iter().any(|format| format.extension() == extension);
        if extension.is_some_and(|extension| !known(extension) && extension != "jpeg") {
            return Err(UNKNOWN);
        }
        let (width, rest) = size.split_once("w_").ok_or(UNKNOWN)?;
        let (height, mode) = rest.split_once("h_").ok_or(UNKNOWN)?;
        for side in [width, height] {
            if side.is_empty() || side.len() > 6 || !side.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(UNKNOWN);
            }
        }
        let mode = match mode.as_bytes() {
            b"0c" => Mode::Contain,
            b"1c" => Mode::Cover,
            [b'2'..=b'9', b'c'] => return Err(NO_MODE),
            _ => return Err(UNKNOWN),
        };
        let mut offered = Self::ALL.into_iter();
        let wanted = |offered: &Self| {
            let side = offered.side.to_string();
            offered.mode == mode && width == side && height == side
        };
        offered.find(wanted).ok_or(NOT_OFFERED)
    }
}

impl fmt::Display for Thumbnail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cropped = u8::from(self.mode == Mode::Cover);
        write!(f, "{0}w_{0}h_{cropped}c", self.side)
    }
}

/// The object that a path below `/images/` refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageRequest {
    /// The picture.
    pub image: ImageName,
    /// The thumbnail of it; `None` for the original.
    pub thumbnail: Option<Thumbnail>,
}

impl ImageRequest {
    /// Parses `<name>` or `<name>@{w}w_{h}h_{c}c`, the latter with or without an extension. A size or mode that is not
    /// available gives [`Error::Invalid`], any other text [`Error::NotFound`].
    pub fn parse(text: &str) -> Result<Self> {
        let (name, thumbnail) = text.split_once('@').map_or((text, None), |(name, size)| (name, Some(size)));
        Ok(Self { image: ImageName::parse(name)?, thumbnail: thumbnail.map(Thumbnail::parse).transpose()? })
    }

    /// The key of the object.
    #[must_use]
    pub fn key(&self) -> Key {
        self.thumbnail.map_or_else(|| self.image.key(), |thumbnail| thumbnail.key(&self.image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0f86d081884c7d659a2feaa0c55ad015.jpg";

    struct Counting;

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, value) in bytes.iter_mut().zip(0..) {
                *byte = value;
            }
        }
    }

    #[test]
    fn a_new_name_holds_128_bits_and_reads_back() {
        let name = ImageName::generate(&Counting, Format::Png);
        assert_eq!(name.to_string(), "000102030405060708090a0b0c0d0e0f.png");
        assert_eq!(ImageName::parse(&name.to_string()).unwrap(), name);
        assert_eq!(name.path(), "/images/000102030405060708090a0b0c0d0e0f.png");
        assert_eq!(name.key().as_str(), "originals/images/000102030405060708090a0b0c0d0e0f.png");
        for audio in Audio::ALL {
            let name = AudioName::generate(&Counting, audio);
            assert_eq!(AudioName::parse(&name.to_string()).unwrap(), name);
        }
    }

    #[test]
    fn nothing_but_a_name_is_a_name() {
        let bad = [
            "",
            ".jpg",
            "0f86d081884c7d659a2feaa0c55ad015",
            "0f86d081884c7d659a2feaa0c55ad015.",
            "0f86d081884c7d659a2feaa0c55ad015.exe",
            "0f86d081884c7d659a2feaa0c55ad015.amr",
            "0f86d081884c7d659a2feaa0c55ad015.jpg.jpg",
            "0f86d081884c7d659a2feaa0c55ad015.jpg/",
            "0F86D081884C7D659A2FEAA0C55AD015.jpg",
            "+f86d081884c7d659a2feaa0c55ad015.jpg",
            "0f86d081884c7d659a2feaa0c55ad01.jpg",
            "0f86d081884c7d659a2feaa0c55ad0155.jpg",
            "../../originals/audios/x.jpg",
            "..%2f86d081884c7d659a2feaa0c55ad0.jpg",
            "０f86d081884c7d659a2feaa0c55ad015.jpg",
        ];
        for text in bad {
            assert!(matches!(ImageName::parse(text), Err(Error::NotFound(_))), "{text}");
        }
    }

    #[test]
    fn thumbnails_are_read_with_and_without_an_extension() {
        for extension in ["", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic"] {
            let request = ImageRequest::parse(&format!("{NAME}@128w_128h_1c{extension}")).unwrap();
            assert_eq!(request.key().as_str(), format!("thumbnails/{NAME}@128w_128h_1c"));
        }
        for thumbnail in Thumbnail::ALL {
            let request = ImageRequest::parse(&format!("{NAME}@{thumbnail}")).unwrap();
            assert_eq!(request.thumbnail, Some(thumbnail));
        }
        assert_eq!(ImageRequest::parse(NAME).unwrap().key().as_str(), format!("originals/images/{NAME}"));
    }

    #[test]
    fn other_sizes_are_not_offered_and_garbage_is_not_found() {
        let others =
            ["64w_64h_1c", "128w_256h_1c", "0w_0h_0c", "0128w_128h_1c", "999999w_999999h_0c.jpg", "128w_128h_2c"];
        for size in others {
            let answer = ImageRequest::parse(&format!("{NAME}@{size}"));
            assert!(matches!(answer, Err(Error::Invalid { .. })), "{size}");
        }
        let garbage = [
            "",
            "128",
            "128w_128h",
            "128w_128h_22c",
            "-1w_128h_1c",
            "128w_128h_1c.exe",
            "128w_128h_1c/..",
            "128w_128h_1c@",
            "9999999w_1h_1c",
        ];
        for size in garbage {
            let answer = ImageRequest::parse(&format!("{NAME}@{size}"));
            assert!(matches!(answer, Err(Error::NotFound(_))), "{size}");
        }
    }

    #[test]
    fn an_event_s_key_gives_the_picture_and_thumbnails_give_none() {
        assert!(Key::image(&format!("originals/images/{NAME}")).is_some());
        for key in ["originals/images/", "thumbnails/x", "originals/images/a/b.jpg"] {
            assert!(Key::image(key).is_none(), "{key}");
        }
        assert!(Key::image(&format!("uploads/images/{NAME}")).is_none());
        let key = format!("uploads/images/7/{NAME}");
        let waiting = Key::waiting_image(&key).unwrap();
        assert_eq!((waiting.owner.get(), waiting.name.to_string().as_str()), (7, NAME));
        assert_eq!(waiting.key().as_str(), key);
        for path in
            ["originals/images/7", "uploads/images", "uploads/images/+7", "uploads/images/07", "uploads/images/0"]
        {
            assert!(Key::waiting_image(&format!("{path}/{NAME}")).is_none(), "{path}");
        }
        let thumbnail = ImageRequest::parse(&format!("{NAME}@128w_128h_1c")).unwrap();
        assert!(Key::image(thumbnail.key().as_str()).is_none());
        let refusal = ImageName::parse(NAME).unwrap().refusal_key();
        assert_eq!(refusal.as_str(), format!("refusals/{NAME}"));
        assert!(Key::image(refusal.as_str()).is_none() && Key::waiting_image(refusal.as_str()).is_none());
    }
}
