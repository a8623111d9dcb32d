//! Recognises the type of a file by its content. The header of an upload only shows what the client believes, and a
//! browser that opens the file later judges by the content too.
//!
//! The signatures are those of the WHATWG MIME Sniffing standard (§6). Formats that it does not cover use their own
//! documents: RFC 4867 §5 (AMR), ISO/IEC 13818-7 (ADTS), ISO/IEC 11172-3 (MPEG audio), RFC 3533 (Ogg), RFC 9639 (FLAC),
//! Apple's Core Audio Format, RFC 8794 (EBML), ISO/IEC 14496-12 (`ftyp`), ISO/IEC 23008-12 annex B (HEIC).

mod audio;
mod forbidden;

/// The message for bytes that are not a picture of an accepted format.
pub const NOT_A_PICTURE: &str = "not a JPEG, PNG, WebP, GIF or HEIC picture";

/// The rule for the media type of a picture.
pub const PICTURE_TYPE: &str = "must be image/jpeg, image/png, image/webp, image/gif or image/heic";

/// A picture format that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG, animated or not.
    Png,
    /// WebP, lossy or lossless, animated or not.
    WebP,
    /// GIF, animated or not.
    Gif,
    /// HEIC. The picture is kept; a film in the file is not.
    Heic,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::WebP, Self::Gif, Self::Heic];

    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Heic => "image/heic",
        }
    }

    /// The extension of its file names, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Heic => "heic",
        }
    }
}

/// A kind of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audio {
    /// AMR narrow band, the format of most voice notes.
    Amr,
    /// AMR wide band.
    AmrWb,
    /// AAC as an ADTS stream.
    Aac,
    /// Audio in an MP4 container: M4A, or an MP4 with a general brand.
    Mp4,
    /// Audio in a 3GPP container, as Android records it.
    ThreeGp,
    /// MPEG audio, layers I to III.
    Mp3,
    /// Ogg: Opus, Vorbis, Speex.
    Ogg,
    /// RIFF WAVE.
    Wav,
    /// Apple's Core Audio Format.
    Caf,
    /// FLAC.
    Flac,
    /// `WebM`.
    WebM,
    /// Matroska other than `WebM`.
    Matroska,
    /// None of the above. The file is kept, and only ever served as a download.
    Unknown,
}

impl Audio {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Amr,
        Self::AmrWb,
        Self::Aac,
        Self::Mp4,
        Self::ThreeGp,
        Self::Mp3,
        Self::Ogg,
        Self::Wav,
        Self::Caf,
        Self::Flac,
        Self::WebM,
        Self::Matroska,
        Self::Unknown,
    ];

    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Amr => "audio/amr",
            Self::AmrWb => "audio/amr-wb",
            Self::Aac => "audio/aac",
            Self::Mp4 => "audio/mp4",
            Self::ThreeGp => "audio/3gpp",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::Caf => "audio/x-caf",
            Self::Flac => "audio/flac",
            Self::WebM => "audio/webm",
            Self::Matroska => "audio/x-matroska",
            Self::Unknown => "application/octet-stream",
        }
    }

    /// The extension of its file names, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Amr => "amr",
            Self::AmrWb => "awb",
            Self::Aac => "aac",
            Self::Mp4 => "m4a",
            Self::ThreeGp => "3gp",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
            Self::Wav => "wav",
            Self::Caf => "caf",
            Self::Flac => "flac",
            Self::WebM => "webm",
            Self::Matroska => "mka",
            Self::Unknown => "bin",
        }
    }
}

/// The recognised type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A picture of an accepted format.
    Picture(Format),
    /// A picture of another format.
    OtherPicture,
    /// Audio.
    Audio(Audio),
    /// A page, a script, a program or an archive: a file that could do harm when it is opened.
    Forbidden,
    /// Text.
    Text,
    /// No known type.
    Unknown,
}

/// Recognises the type of these bytes.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Sniffed {
    if let Some(format) = picture(bytes) {
        Sniffed::Picture(format)
    } else if other_picture(bytes) {
        Sniffed::OtherPicture
    } else if let Some(audio) = audio::audio(bytes) {
        Sniffed::Audio(audio)
    } else if forbidden::forbidden(bytes) {
        Sniffed::Forbidden
    } else if is_text(bytes) {
        Sniffed::Text
    } else {
        Sniffed::Unknown
    }
}

/// Whether these bytes begin with UTF-8 text without the control characters that the WHATWG MIME Sniffing standard (§3)
/// calls binary data. It looks at as many bytes as a resource header has there.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1_445)];
    let is_binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    let is_utf_8 = match std::str::from_utf8(head) {
        Ok(text) => !text.is_empty(),
        // The last character may be cut.
        Err(error) => error.error_len().is_none() && head.len() < bytes.len(),
    };
    is_utf_8 && !head.iter().any(is_binary)
}

fn picture(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        Some(Format::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if riff(bytes) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if heic(bytes) {
        Some(Format::Heic)
    } else {
        None
    }
}

/// Brands of files whose picture is coded with HEVC.
pub(super) const HEIC_BRANDS: [&[u8; 4]; 4] = [b"heic", b"heix", b"heim", b"heis"];

/// Whether the bytes begin like a HEIC file: with a HEIC brand, or with the general brand for pictures and a HEIC brand
/// among the compatible brands. A file that is mainly a film, or an AVIF, is not a HEIC.
fn heic(bytes: &[u8]) -> bool {
    let Some(major) = brand(bytes) else { return false };
    let length = bytes.first_chunk().and_then(|length| usize::try_from(u32::from_be_bytes(*length)).ok());
    let others = length.and_then(|length| bytes.get(16..length)).unwrap_or_default().as_chunks().0;
    HEIC_BRANDS.contains(&major) || (major == b"mif1" && others.iter().any(|other| HEIC_BRANDS.contains(&other)))
}

fn other_picture(bytes: &[u8]) -> bool {
    const SIGNATURES: [&[u8]; 7] = [
        b"II\x2a\0",
        b"MM\0\x2a",
        b"\0\0\x01\0",
        b"8BPS",
        b"\xff\x0a",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"\0\0\0\x0cjP  \r\n\x87\n",
    ];
    const BRANDS: [&[u8; 4]; 6] = [b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"];
    let bmp = bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]);
    bmp || SIGNATURES.iter().any(|signature| bytes.starts_with(signature))
        || brand(bytes).is_some_and(|brand| BRANDS.contains(&brand))
}

/// The form type of a RIFF file.
fn riff(bytes: &[u8]) -> Option<&[u8; 4]> {
    bytes.strip_prefix(b"RIFF")?.get(4..)?.first_chunk()
}

/// The major brand of an ISO base media file.
fn brand(bytes: &[u8]) -> Option<&[u8; 4]> {
    bytes.get(4..)?.strip_prefix(b"ftyp")?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_recognised() {
        let cases: [(&[u8], Sniffed); 22] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Sniffed::Picture(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Sniffed::Picture(Format::Png)),
            (b"GIF87a", Sniffed::Picture(Format::Gif)),
            (b"GIF89a", Sniffed::Picture(Format::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Sniffed::Picture(Format::WebP)),
            (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0", Sniffed::OtherPicture),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Sniffed::Picture(Format::Heic)),
            (b"\0\0\0\x18ftypheix\0\0\0\0mif1heix", Sniffed::Picture(Format::Heic)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Sniffed::Picture(Format::Heic)),
            (b"\0\0\0\x14ftypmif1\0\0\0\0mif1heic", Sniffed::OtherPicture),
            (b"\0\0\0\x14ftypmif1heic\0\0\0\0", Sniffed::OtherPicture),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Sniffed::OtherPicture),
            (b"\0\0\0\x18ftyphevc\0\0\0\0msf1heic", Sniffed::OtherPicture),
            (b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc", Sniffed::OtherPicture),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Sniffed::OtherPicture),
            (b"II\x2a\0\x08\0\0\0", Sniffed::OtherPicture),
            (b"\0\0\x01\0\x01\0", Sniffed::OtherPicture),
            (b"GIF88a", Sniffed::Text),
            ("\u{feff}你好\r\n\t\u{1b}[1m".as_bytes(), Sniffed::Text),
            (b"caf\xe9", Sniffed::Unknown),
            (b"a\0b", Sniffed::Unknown),
            (b"", Sniffed::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn extensions_are_distinct_so_that_a_name_tells_its_type() {
        let mut seen = std::collections::BTreeSet::new();
        let images = Format::ALL.iter().map(|format| format.extension());
        for extension in images.chain(Audio::ALL.iter().map(|audio| audio.extension())) {
            assert!(seen.insert(extension), "{extension}");
        }
    }

    #[test]
    fn text_is_recognised_where_its_head_ends_within_a_character() {
        let text = "名".repeat(1_000);
        assert_eq!(sniff(text.as_bytes()), Sniffed::Text);
        assert_eq!(sniff(&text.as_bytes()[..1_000]), Sniffed::Unknown, "the file itself ends within one");
    }

    #[test]
    fn a_polyglot_is_what_a_browser_takes_it_for() {
        assert_eq!(sniff(b"GIF89a/*<script>*/=1;"), Sniffed::Picture(Format::Gif));
        assert_eq!(sniff(b"\n\n<svg xmlns='x'>GIF89a"), Sniffed::Forbidden);
        assert_eq!(sniff(b"RIFF\x10\0\0\0WAVEfmt <html>"), Sniffed::Audio(Audio::Wav));
    }
}
