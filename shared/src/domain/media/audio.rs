//! Voice notes without what they say of their makers: the place above all, which phones write as `©xyz` or `loci`
//! into a recording or make its name of.
//!
//! Cleaning happens in place. What holds metadata is turned into the format's own filler and filled with zeros, so no
//! length and no offset changes and every byte of sound stays where it was. A file was accepted by its first bytes
//! alone and may be anything further on: where its sizes make no sense the walk ends, and the rest is kept as it is.
//! Every walk goes forward only, so that its time is in proportion to the length, and a second cleaning changes
//! nothing.
//!
//! What stays: the times of recording in the headers of MP4, the names of the programs that wrote the file, what is
//! coded as a track, a stream or an event of its own (chapters, subtitles, a film), pictures in FLAC in Ogg, and the
//! rare `Lyrics3` and `ID3v2` behind an MP3. AMR has no room for metadata.

mod caf;
mod ebml;
mod flac;
mod iso;
mod ogg;
mod riff;
mod tags;

use bytes::{Bytes, BytesMut};

use super::sniff::Audio;

/// Empties the metadata of audio of this kind, and leaves the length and all else as they are.
#[must_use]
pub fn clean(audio: Audio, bytes: Bytes) -> Bytes {
    let walk = match audio {
        Audio::Amr | Audio::AmrWb | Audio::Unknown => return bytes,
        Audio::Mp4 | Audio::ThreeGp => iso::clean,
        Audio::Mp3 | Audio::Aac => tags::clean,
        Audio::Ogg => ogg::clean,
        Audio::Wav => riff::clean,
        Audio::Caf => caf::clean,
        Audio::Flac => flac::clean,
        Audio::WebM | Audio::Matroska => ebml::clean,
    };
    // Nobody else holds the bytes of an upload, so this copies nothing.
    let mut bytes = BytesMut::from(bytes);
    walk(&mut bytes);
    bytes.freeze()
}

/// Writes over the first bytes of a part that is known to be as long.
fn overwrite(part: &mut [u8], with: &[u8]) {
    part.iter_mut().zip(with).for_each(|(byte, new)| *byte = *new);
}

/// A length of four bytes as an index.
fn index(length: u32) -> Option<usize> {
    usize::try_from(length).ok()
}

#[cfg(test)]
mod tests;
