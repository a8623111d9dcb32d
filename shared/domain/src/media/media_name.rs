//! The name of a picture or of a voice note, for requests that take both.

use std::fmt;
use std::str::FromStr;

use super::name::{AudioName, ImageName, Key, Thumbnail, WaitingImage};
use crate::account::UserId;
use crate::{Error, Result};

/// The name of a picture or of a voice note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaName {
    /// The name of a picture.
    Image(ImageName),
    /// The name of a voice note.
    Audio(AudioName),
}

impl MediaName {
    /// The name in a path of this service, such as `/images/<name>`, or the name alone.
    pub fn in_path(text: &str) -> Result<Self> {
        match (text.strip_prefix("/images/"), text.strip_prefix("/audios/")) {
            (Some(name), _) => ImageName::parse(name).map(Self::Image),
            (_, Some(name)) => AudioName::parse(name).map(Self::Audio),
            _ => text.parse(),
        }
    }

    /// The path that serves it.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Image(name) => name.path(),
            Self::Audio(name) => name.path(),
        }
    }

    /// The key of the original.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Image(name) => name.key(),
            Self::Audio(name) => name.key(),
        }
    }

    /// The keys of all objects that there may be of it: the original, and of a picture the thumbnails, the note that it
    /// has none, and the upload that was not processed.
    #[must_use]
    pub fn objects(&self, owner: UserId) -> Vec<Key> {
        let mut keys = vec![self.key()];
        if let Self::Image(name) = self {
            keys.extend(Thumbnail::ALL.map(|thumbnail| thumbnail.key(name)));
            keys.extend([name.refusal_key(), WaitingImage { owner, name: *name }.key()]);
        }
        keys
    }

    /// The media type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        let known = match self {
            Self::Image(name) => name.format().map(super::Format::content_type),
            Self::Audio(name) => name.kind().map(super::Audio::content_type),
        };
        known.unwrap_or(super::Audio::Unknown.content_type())
    }
}

impl FromStr for MediaName {
    type Err = Error;

    /// Parses a name; any other text gives [`Error::NotFound`].
    fn from_str(text: &str) -> Result<Self> {
        let image = ImageName::parse(text).map(Self::Image);
        image.or_else(|_| AudioName::parse(text).map(Self::Audio)).map_err(|_| Error::NotFound("media"))
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(name) => name.fmt(f),
            Self::Audio(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0f86d081884c7d659a2feaa0c55ad015";

    #[test]
    fn a_name_is_of_a_picture_or_of_a_voice_note() {
        let image: MediaName = format!("{DIGITS}.jpg").parse().unwrap();
        assert_eq!((image.content_type(), image.path()), ("image/jpeg", format!("/images/{DIGITS}.jpg")));
        let audio: MediaName = format!("{DIGITS}.amr").parse().unwrap();
        assert_eq!((audio.content_type(), audio.path()), ("audio/amr", format!("/audios/{DIGITS}.amr")));
        for name in [image, audio] {
            assert_eq!(MediaName::in_path(&name.path()).unwrap(), name);
            assert_eq!(MediaName::in_path(&name.to_string()).unwrap(), name);
        }
        for text in ["", "x", &format!("/images/{DIGITS}.amr"), &format!("/audios/{DIGITS}.jpg"), "https://a.example/"]
        {
            assert!(matches!(MediaName::in_path(text), Err(Error::NotFound(_))), "{text}");
        }
    }

    #[test]
    fn a_picture_has_more_objects_than_its_original() {
        let owner = UserId::new(7).unwrap();
        let objects = |extension: &str| {
            let name: MediaName = format!("{DIGITS}.{extension}").parse().unwrap();
            name.objects(owner).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(objects("amr"), [format!("originals/audios/{DIGITS}.amr")]);
        assert_eq!(
            objects("png"),
            [
                format!("originals/images/{DIGITS}.png"),
                format!("thumbnails/{DIGITS}.png@128w_128h_0c"),
                format!("thumbnails/{DIGITS}.png@128w_128h_1c"),
                format!("thumbnails/{DIGITS}.png@256w_256h_0c"),
                format!("thumbnails/{DIGITS}.png@256w_256h_1c"),
                format!("refusals/{DIGITS}.png"),
                format!("uploads/images/7/{DIGITS}.png"),
            ]
        );
    }
}
