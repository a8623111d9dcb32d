//! The audio formats that phones record and apps exchange.

use super::{Audio, brand, riff};

/// Recognises the kind of audio.
pub(super) fn audio(bytes: &[u8]) -> Option<Audio> {
    by_signature(bytes).or_else(|| by_brand(bytes)).or_else(|| ebml(bytes)).or_else(|| by_frames(bytes))
}

fn by_signature(bytes: &[u8]) -> Option<Audio> {
    const SIGNATURES: [(&[u8], Audio); 8] = [
        (b"#!AMR\n", Audio::Amr),
        (b"#!AMR-WB\n", Audio::AmrWb),
        (b"#!AMR_MC1.0\n", Audio::Amr),
        (b"#!AMR-WB_MC1.0\n", Audio::AmrWb),
        (b"OggS\0", Audio::Ogg),
        (b"fLaC", Audio::Flac),
        (b"caff\0\x01", Audio::Caf),
        (b"RF64\xff\xff\xff\xffWAVE", Audio::Wav),
    ];
    let known = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, audio)| *audio);
    known.or_else(|| (riff(bytes) == Some(b"WAVE")).then_some(Audio::Wav))
}

/// Brands of audio files, and the general brands that recorders use for files with audio only: those of MP4 and its
/// editions, of `QuickTime`, and of cameras, consoles and streams.
fn by_brand(bytes: &[u8]) -> Option<Audio> {
    match brand(bytes)? {
        b"M4A "
        | b"M4B "
        | b"M4P "
        | b"F4A "
        | b"F4B "
        | b"mp41"
        | b"mp42"
        | b"mp71"
        | b"isom"
        | b"isml"
        | b"avc1"
        | b"MSNV"
        | b"qt  "
        | b"dash"
        | b"msdh"
        | [b'i', b's', b'o', b'2'..=b'9'] => Some(Audio::Mp4),
        [b'3', b'g', ..] => Some(Audio::ThreeGp),
        _ => None,
    }
}

/// `WebM` and Matroska differ in the document type, element 0x4282, within the EBML header.
fn ebml(bytes: &[u8]) -> Option<Audio> {
    let header = bytes.strip_prefix(b"\x1a\x45\xdf\xa3")?;
    let header = &header[..header.len().min(64)];
    let at = header.windows(2).position(|pair| pair == [0x42, 0x82])?;
    let text = header.get(at + 3..)?;
    if text.starts_with(b"webm") { Some(Audio::WebM) } else { text.starts_with(b"matroska").then_some(Audio::Matroska) }
}

fn by_frames(bytes: &[u8]) -> Option<Audio> {
    if id3(bytes) || followed(bytes, mpeg_frame) {
        Some(Audio::Mp3)
    } else {
        followed(bytes, adts_frame).then_some(Audio::Aac)
    }
}

/// An `ID3v2` tag: version and revision below 255, a size of four 7-bit bytes (id3.org, `ID3v2.4.0` §3.1).
fn id3(bytes: &[u8]) -> bool {
    let tag = bytes.strip_prefix(b"ID3").and_then(<[u8]>::first_chunk::<7>);
    tag.is_some_and(|[version, revision, _, size @ ..]| {
        *version < 0xff && *revision < 0xff && size.iter().all(|byte| *byte < 0x80)
    })
}

/// Whether the bytes start with a frame and, if they are long enough, another frame follows it. The two bytes of a sync
/// word alone are too common in other files.
fn followed(bytes: &[u8], frame: fn(&[u8]) -> Option<usize>) -> bool {
    let Some(length) = frame(bytes) else { return false };
    match bytes.get(length..) {
        // The file is a single frame, or only a part of one.
        None | Some([]) => true,
        Some(rest) => rest.len() < 7 || frame(rest).is_some() || rest.starts_with(b"TAG"),
    }
}

/// The length in bytes of the MPEG audio frame that starts here (ISO/IEC 11172-3 §2.4.1.3 and 13818-3).
fn mpeg_frame(bytes: &[u8]) -> Option<usize> {
    const V1_LAYER_1: [usize; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const V1_LAYER_2: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const V1_LAYER_3: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2_LAYER_1: [usize; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const V2_OTHERS: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

    let [0xff, second, third, _] = *bytes.first_chunk()? else { return None };
    if second & 0xe0 != 0xe0 {
        return None;
    }
    let (version, layer) = ((second >> 3) & 3, (second >> 1) & 3);
    // Versions: 0 is MPEG 2.5, 1 is reserved, 2 is MPEG 2, 3 is MPEG 1. Layers count down from 3; 0 is reserved.
    let rates: [usize; 3] = match version {
        0 => [11_025, 12_000, 8_000],
        2 => [22_050, 24_000, 16_000],
        3 => [44_100, 48_000, 32_000],
        _ => return None,
    };
    let kilobits = match (version, layer) {
        (3, 3) => V1_LAYER_1,
        (3, 2) => V1_LAYER_2,
        (3, 1) => V1_LAYER_3,
        (_, 3) => V2_LAYER_1,
        (_, 1 | 2) => V2_OTHERS,
        _ => return None,
    };
    // 0 means "free", which no recorder writes; 15 is forbidden.
    let bits = kilobits.get(usize::from(third >> 4).checked_sub(1)?)? * 1000;
    let rate = rates.get(usize::from((third >> 2) & 3))?;
    let padding = usize::from((third >> 1) & 1);
    Some(match (version, layer) {
        (_, 3) => (12 * bits / rate + padding) * 4,
        (0 | 2, 1) => 72 * bits / rate + padding,
        _ => 144 * bits / rate + padding,
    })
}

/// The length in bytes of the ADTS frame that starts here (ISO/IEC 13818-7 §6.2).
fn adts_frame(bytes: &[u8]) -> Option<usize> {
    let [0xff, second, third, fourth, fifth, sixth, _] = *bytes.first_chunk()? else { return None };
    // Twelve bits of sync, and a layer of 0.
    let synced = second & 0xf6 == 0xf0;
    let rate_known = (third >> 2) & 0x0f < 13;
    let length = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
    (synced && rate_known && length > 7).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_brands_are_recognised() {
        let cases: [(&[u8], Audio); 16] = [
            (b"#!AMR\n\x3c\x91", Audio::Amr),
            (b"#!AMR-WB\n\x04", Audio::AmrWb),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0OpusHead", Audio::Ogg),
            (b"RIFF\x24\0\0\0WAVEfmt ", Audio::Wav),
            (b"caff\0\x01\0\0desc", Audio::Caf),
            (b"fLaC\0\0\0\x22", Audio::Flac),
            (b"\0\0\0\x20ftypM4A \0\0\0\0", Audio::Mp4),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", Audio::Mp4),
            (b"\0\0\0\x18ftypisom\0\0\x02\0", Audio::Mp4),
            (b"\0\0\0\x18ftyp3gp4\0\0\0\0", Audio::ThreeGp),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Audio::WebM),
            (b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", Audio::Matroska),
            (b"ID3\x04\0\0\0\0\x02\x01rest", Audio::Mp3),
            (b"\xff\xfb\x90\x00", Audio::Mp3),
            (b"\xff\xf3\x44\xc4", Audio::Mp3),
            (b"\xff\xf1\x50\x80\x01\x7f\xfc\xde", Audio::Aac),
        ];
        for (bytes, expected) in cases {
            assert_eq!(audio(bytes), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn every_brand_that_recorders_write_is_audio() {
        let brands: [&[u8; 4]; 18] = [
            b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"mp41", b"mp42", b"mp71", b"isom", b"iso2", b"iso6", b"iso9",
            b"isml", b"avc1", b"MSNV", b"qt  ", b"dash", b"msdh",
        ];
        for brand in brands {
            assert_eq!(audio(&[b"\0\0\0\x18ftyp", &brand[..], &[0; 12]].concat()), Some(Audio::Mp4), "{brand:?}");
        }
        assert_eq!(audio(b"\0\0\0\x18ftyp3g2a\0\0\0\0"), Some(Audio::ThreeGp));
    }

    #[test]
    fn a_frame_has_to_be_followed_by_a_frame() {
        // 128 kbit/s at 44.1 kHz: 417 bytes.
        let mut bytes = vec![0; 900];
        bytes[..4].copy_from_slice(b"\xff\xfb\x90\x00");
        assert_eq!(audio(&bytes), None);
        bytes[417..421].copy_from_slice(b"\xff\xfb\x90\x00");
        assert_eq!(audio(&bytes), Some(Audio::Mp3));

        let mut bytes = vec![0; 64];
        bytes[..7].copy_from_slice(b"\xff\xf1\x50\x80\x02\x1f\xfc");
        assert_eq!(audio(&bytes), None);
        bytes[16..23].copy_from_slice(b"\xff\xf1\x50\x80\x02\x1f\xfc");
        assert_eq!(audio(&bytes), Some(Audio::Aac));
    }

    #[test]
    fn what_only_looks_like_audio_is_not() {
        let cases: [&[u8]; 9] = [
            b"",
            b"\xff\xff\xff\xff",
            b"\xff\xe0\x00\x00",
            b"ID3\xff\0\0\0\0\0\0",
            b"ID3\x04\0\0\x80\0\0\0",
            b"OggS\x01",
            b"\0\0\0\x18ftypjp2 ",
            b"#!AMR",
            b"\x1a\x45\xdf\xa3\x9f",
        ];
        for bytes in cases {
            assert_eq!(audio(bytes), None, "{bytes:?}");
        }
    }
}
