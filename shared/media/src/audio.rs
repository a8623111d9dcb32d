//! Removes metadata from voice notes, because it reveals things about their makers. Above all this is the place of a
//! recording, which phones write into the file as `©xyz` or `loci`, or use as its name.
//!
//! Cleaning happens in place. The parts that hold metadata are turned into the format's own filler and filled with
//! zeros, so no length and no offset changes, and every byte of sound stays where it was. A file was accepted by its
//! first bytes alone, so the rest can be anything. Where its sizes make no sense the walk ends, and the rest is kept
//! unchanged. Every walk goes forward only, so its time is proportional to the length of the file, and a second
//! cleaning changes nothing.
//!
//! These stay: the times of recording in the headers of MP4; the names of the programs that wrote the file; metadata
//! that is coded as a separate track, stream or event (chapters, subtitles, a film); pictures in FLAC in Ogg; and the
//! rare `Lyrics3` and `ID3v2` tags behind an MP3. AMR has no room for metadata.

mod caf;
mod ebml;
mod flac;
mod iso;
mod ogg;
mod riff;
mod tags;

use bytes::{Bytes, BytesMut};

use super::sniff::Audio;

/// Clears the metadata of audio of this kind, and leaves its length and everything else unchanged.
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
    // Nothing else refers to the bytes of an upload, so this copies nothing.
    let mut bytes = BytesMut::from(bytes);
    walk(&mut bytes);
    bytes.freeze()
}

/// Overwrites the first bytes of a part that is known to be long enough.
fn overwrite(part: &mut [u8], with: &[u8]) {
    part.iter_mut().zip(with).for_each(|(byte, new)| *byte = *new);
}

/// A length of four bytes as an index.
fn index(length: u32) -> Option<usize> {
    usize::try_from(length).ok()
}

#[cfg(test)]
mod tests;
