//! Files of every kind, built here: which parts are cleared, which parts stay, and that no file does harm.

use super::super::sniff::{Sniffed, sniff};
use super::*;

const PLACE: &[u8] = b"+48.8577+002.2950/";
const NAME: &[u8] = b"Rue de la Paix 7";

/// Bytes that represent sound. They contain words that would be metadata anywhere else.
fn sound() -> Vec<u8> {
    let mut sound: Vec<u8> = (0..=255).cycle().take(600).collect();
    sound.extend(b"udtaLIST\x04\0\0\0INFOTAGID3OggS");
    sound
}

fn cleaned(kind: Audio, bytes: &[u8]) -> Vec<u8> {
    clean(kind, Bytes::copy_from_slice(bytes)).to_vec()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A file, and the expected result of cleaning it.
struct Sample {
    kind: Audio,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// Joins pieces that stay and pieces that change into the file before cleaning and the expected file after it.
fn sample(kind: Audio, pieces: &[(&[u8], &[u8])]) -> Sample {
    let before = pieces.iter().map(|(before, _)| *before).collect::<Vec<_>>().concat();
    let after = pieces.iter().map(|(_, after)| *after).collect::<Vec<_>>().concat();
    Sample { kind, before, after }
}

fn kept(bytes: &[u8]) -> (&[u8], &[u8]) {
    (bytes, bytes)
}

fn mp4_box(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), &kind[..], content].concat()
}

fn mp4() -> Sample {
    let build = |clean: bool| {
        let secret = |kind: &[u8; 4]| {
            let content = [&b"\0\0\0\x1e\xa9xyz\0\x12\x15\xc7"[..], PLACE, NAME].concat();
            if clean { mp4_box(*b"free", &vec![0; content.len()]) } else { mp4_box(*kind, &content) }
        };
        let (udta, meta, uuid) = (secret(b"udta"), secret(b"meta"), secret(b"uuid"));
        let minf = mp4_box(*b"minf", &[mp4_box(*b"stbl", b"tables"), udta.clone()].concat());
        let mdia = mp4_box(*b"mdia", &[mp4_box(*b"mdhd", &[7; 24]), minf, udta.clone()].concat());
        let trak = mp4_box(*b"trak", &[mp4_box(*b"tkhd", &[8; 84]), meta.clone(), mdia, udta.clone()].concat());
        let moov = mp4_box(*b"moov", &[mp4_box(*b"mvhd", &[9; 100]), trak, udta.clone(), meta.clone()].concat());
        let traf = mp4_box(*b"traf", &[mp4_box(*b"tfhd", &[1; 8]), udta.clone()].concat());
        let moof = mp4_box(*b"moof", &[traf, meta.clone()].concat());
        // A length of eight bytes, and a box that lasts until the end of the file.
        let long_mdat = [&b"\0\0\0\x01mdat\0\0\0\0"[..], &660_u32.to_be_bytes(), &[5; 644]].concat();
        let (long, to_the_end) = if clean { (b"free", b"free") } else { (b"uuid", b"udta") };
        let text = if clean { vec![0; PLACE.len()] } else { PLACE.to_vec() };
        let long = [&b"\0\0\0\x01"[..], long, b"\0\0\0\0\0\0\0\x22", &text].concat();
        let last = [&[0; 4], &to_the_end[..], &text].concat();
        let head = mp4_box(*b"ftyp", b"mp42\0\0\0\0isommp42");
        [head, moov, uuid, mp4_box(*b"mdat", &sound()), moof, long, long_mdat, meta, last].concat()
    };
    Sample { kind: Audio::Mp4, before: build(false), after: build(true) }
}

fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let pad: &[u8] = if content.len().is_multiple_of(2) { &[] } else { &[0] };
    [&kind[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content, pad].concat()
}

fn wav() -> Sample {
    let secret = |kind: &[u8; 4], start: &[u8]| {
        let content = [start, NAME, PLACE].concat();
        (chunk(*kind, &content), chunk(*b"JUNK", &vec![0; content.len()]))
    };
    let secrets = [
        secret(b"LIST", b"INFO"),
        // The length is odd and needs a padding byte.
        secret(b"id3 ", b"ID3"),
        secret(b"bext", b""),
        secret(b"iXML", b"<"),
        secret(b"_PMX", b""),
        secret(b"cart", b""),
    ];
    let (format, sound) = (chunk(*b"fmt ", &[1; 16]), chunk(*b"data", &sound()));
    let list_of_sound = chunk(*b"LIST", b"wavl and sound");
    let mut pieces = vec![kept(b"RIFF\xff\xff\0\0WAVE"), kept(&format)];
    pieces.extend(secrets.iter().map(|(before, after)| (before.as_slice(), after.as_slice())));
    pieces.extend([kept(&list_of_sound), kept(&sound)]);
    let (before, after) = secret(b"LIST", b"INFO");
    pieces.push((&before, &after));
    sample(Audio::Wav, &pieces)
}

fn rf64() -> Sample {
    let sound = sound();
    let lengths = [[0; 8], u64::try_from(sound.len()).unwrap().to_le_bytes(), [0; 8]].concat();
    let (lengths, data) = (chunk(*b"ds64", &lengths), [b"data\xff\xff\xff\xff", &sound[..]].concat());
    let list = [b"INFO", NAME].concat();
    let (before, after) = (chunk(*b"LIST", &list), chunk(*b"JUNK", &vec![0; list.len()]));
    sample(Audio::Wav, &[kept(b"RF64\xff\xff\xff\xffWAVE"), kept(&lengths), kept(&data), (&before, &after)])
}

fn flac() -> Sample {
    let block = |kind: u8, content: &[u8]| [&[kind, 0, 0, u8::try_from(content.len()).unwrap()], content].concat();
    let info = block(0, &[3; 34]);
    let seek_table = block(3, &[4; 18]);
    let content = [NAME, PLACE].concat();
    let blocks: Vec<_> = [4, 6, 2, 0x80 | 5].iter().map(|kind| block(*kind, &content)).collect();
    let empty = block(1, &vec![0; content.len()]);
    let last = block(0x81, &vec![0; content.len()]);
    let (mut pieces, sound) = (vec![kept(b"fLaC"), kept(&info)], sound());
    pieces.extend([(&blocks[0][..], &empty[..]), (&blocks[1], &empty), kept(&seek_table)]);
    pieces.extend([(&blocks[2][..], &empty[..]), (&blocks[3], &last), kept(b"\xff\xf8"), kept(&sound)]);
    sample(Audio::Flac, &pieces)
}

fn caf() -> Sample {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        [kind, &u64::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    };
    let (format, content) = (chunk(b"desc", &[2; 32]), [b"location\0", PLACE].concat());
    let (info, free) = (chunk(b"info", &content), chunk(b"free", &vec![0; content.len()]));
    let (data, to_the_end) = (chunk(b"data", &sound()), [b"data", &[0xff; 8][..], &sound()].concat());
    let head = kept(b"caff\0\x01\0\0");
    sample(Audio::Caf, &[head, kept(&format), (&info, &free), kept(&data), (&info, &free), kept(&to_the_end)])
}

/// An MP3 with one tag that has a footer, one that has none, and every kind of tag that may follow the sound.
fn mp3() -> Sample {
    let text = [b"TIT2\0\0\0\x11\0\0\0", NAME].concat();
    let size = u8::try_from(text.len()).unwrap();
    let first = [b"ID3\x04\0\x50\0\0\0", &[size][..], &text, b"3DI\x04\0\x50\0\0\0", &[size]].concat();
    let first_after = [b"ID3\x04\0\0\0\0\0", &[size + 10][..], &vec![0; text.len() + 10]].concat();
    let second = [b"ID3\x03\0\0\0\0\0", &[size][..], &text].concat();
    let second_after = [b"ID3\x03\0\0\0\0\0", &[size][..], &vec![0; text.len()]].concat();
    let frames = [b"\xff\xfb\x90\0", &sound()[..]].concat();
    let ape = |count: u8, text: &[u8]| {
        let ends = |flags: u8| {
            let size = u32::try_from(text.len() + 32).unwrap().to_le_bytes();
            [b"APETAGEX\xd0\x07\0\0", &size[..], &[count, 0, 0, 0, 0, 0, 0, flags], &[0; 8]].concat()
        };
        [&ends(0xa0), text, &ends(0x80)].concat()
    };
    let extension = [b"TAG+", &NAME.repeat(14)[..223]].concat();
    let old = [b"TAG", &NAME.repeat(8)[..124], b"\x11"].concat();
    let pieces = [
        (first, first_after),
        (second, second_after),
        (frames.clone(), frames),
        (ape(2, NAME), ape(0, &[0; 16])),
        (extension, [b"TAG+", &[0; 223][..]].concat()),
        (old, [b"TAG", &[0; 124][..], b"\x11"].concat()),
    ];
    let pieces: Vec<_> = pieces.iter().map(|(before, after)| (&before[..], &after[..])).collect();
    sample(Audio::Mp3, &pieces)
}

/// `WebM` as a browser records it, with unknown lengths.
fn webm() -> Sample {
    let element = |id: &[u8], content: &[u8]| {
        [id, &(1 << 56 | u64::try_from(content.len()).unwrap()).to_be_bytes(), content].concat()
    };
    let void = |length: usize| element(b"\xec", &vec![0; length - 9]);
    let header = element(b"\x1a\x45\xdf\xa3", b"\x42\x86\x81\x01\x42\x82\x84webm");
    let (scale, title, date) = (element(b"\x2a\xd7\xb1", b"\x0f"), element(b"\x7b\xa9", NAME), b"\x44\x61\x82ab");
    let checksum = b"\xbf\x84abcd";
    let info = [&checksum[..], &scale, &title, date].concat();
    let info_after = [b"\xec\x84\0\0\0\0", &scale[..], &void(title.len()), b"\xec\x83\0\0\0"].concat();
    let tracks = |name: &[u8]| element(b"\x16\x54\xae\x6b", &element(b"\xae", &[b"\xd7\x81\x01", name].concat()));
    let name = element(b"\x53\x6e", NAME);
    let tags = element(b"\x12\x54\xc3\x67", PLACE);
    let cluster = [b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff", &element(b"\xa3", &sound())[..]].concat();
    sample(
        Audio::WebM,
        &[
            kept(&header),
            kept(b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"),
            (&element(b"\x15\x49\xa9\x66", &info), &element(b"\x15\x49\xa9\x66", &info_after)),
            (&tracks(&name), &tracks(&void(name.len()))),
            kept(&cluster),
            (&tags, &void(tags.len())),
        ],
    )
}

/// A page of Ogg with its checksum, which is computed bit by bit here.
fn page(flags: u8, serial: u8, body: &[u8], ends: bool) -> Vec<u8> {
    let mut lacing = vec![255; body.len() / 255];
    if ends {
        lacing.push(u8::try_from(body.len() % 255).unwrap());
    }
    let count = u8::try_from(lacing.len()).unwrap();
    let head = [&b"OggS\0"[..], &[flags], &[6; 8], &[serial, 0, 0, 0], &[1, 0, 0, 0], &[0; 4], &[count]].concat();
    let mut page = [&head[..], &lacing, body].concat();
    let mut sum = 0_u32;
    for byte in &page {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
        }
    }
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

/// A packet of comments, and the same without them.
fn comments(prefix: &[u8], framing: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let comment = [b"LOCATION=", PLACE, &[b'x'; 600]].concat();
    let length = u32::try_from(comment.len()).unwrap().to_le_bytes();
    let start = [prefix, b"\x04\0\0\0make"].concat();
    let before = [&start, &b"\x01\0\0\0"[..], &length, &comment, framing].concat();
    let after = [&start, &[0; 4][..], framing, &vec![0; comment.len() + 4]].concat();
    (before, after)
}

/// Two interleaved streams, one of which has comments that take two pages, and a third stream after them.
fn ogg() -> Sample {
    let (opus, opus_after) = comments(b"OpusTags", b"");
    let (vorbis, vorbis_after) = comments(b"\x03vorbis", b"\x01");
    let (flac, flac_after) = comments(b"\x84\0\x02\x8b", b"");
    let build = |opus: &[u8], vorbis: &[u8], flac: &[u8]| {
        [
            page(2, 1, b"OpusHead\x01\x02", true),
            page(2, 2, b"\x01vorbis\0\0", true),
            page(0, 1, &opus[..510], false),
            page(0, 2, vorbis, true),
            page(1, 1, &opus[510..], true),
            page(4, 1, &sound(), true),
            page(2, 1, b"\x7fFLAC\x01\0", true),
            page(0, 1, flac, true),
            page(4, 1, &sound(), true),
        ]
        .concat()
    };
    let (before, after) = (build(&opus, &vorbis, &flac), build(&opus_after, &vorbis_after, &flac_after));
    Sample { kind: Audio::Ogg, before, after }
}

fn samples() -> [Sample; 9] {
    let mut three_gp = mp4();
    three_gp.kind = Audio::ThreeGp;
    three_gp.before[8..12].copy_from_slice(b"3gp4");
    three_gp.after[8..12].copy_from_slice(b"3gp4");
    [mp4(), three_gp, wav(), rf64(), flac(), caf(), mp3(), webm(), ogg()]
}

#[test]
fn metadata_is_emptied_and_nothing_else_changes() {
    for Sample { kind, before, after } in samples() {
        assert_eq!(sniff(&before), Sniffed::Audio(kind));
        assert!(holds(&before, PLACE) || holds(&before, NAME), "{kind:?}");
        let cleaned = cleaned(kind, &before);
        assert_eq!(cleaned.len(), before.len(), "{kind:?}");
        let difference = cleaned.iter().zip(&after).position(|(is, should)| is != should);
        assert!(cleaned == after, "{kind:?} differs at {difference:?}");
        assert!(!holds(&cleaned, PLACE) && !holds(&cleaned, NAME), "{kind:?}");
        assert!(holds(&cleaned, &sound()), "{kind:?}");
        assert_eq!(sniff(&cleaned), Sniffed::Audio(kind));
    }
}

#[test]
fn a_second_cleaning_changes_nothing() {
    for Sample { kind, after, .. } in samples() {
        assert!(cleaned(kind, &after) == after, "{kind:?}");
    }
}

#[test]
fn a_file_that_is_cut_short_keeps_its_length_and_is_cleaned_once() {
    for Sample { kind, before, .. } in samples() {
        for length in 0..before.len() {
            let once = cleaned(kind, &before[..length]);
            assert_eq!(once.len(), length, "{kind:?}");
            assert!(cleaned(kind, &once) == once, "{kind:?} of {length}");
        }
    }
}

#[test]
fn lying_lengths_do_no_harm() {
    for Sample { kind, before, .. } in samples() {
        for at in 0..before.len() {
            for lie in [0x01, 0x80, 0xff] {
                let mut bytes = before.clone();
                bytes[at] ^= lie;
                assert_eq!(cleaned(kind, &bytes).len(), before.len(), "{kind:?} at {at}");
            }
        }
    }
}

#[test]
fn every_kind_takes_bytes_of_any_other() {
    for Sample { before, .. } in samples() {
        for kind in Audio::ALL {
            assert_eq!(cleaned(kind, &before).len(), before.len(), "{kind:?}");
        }
    }
}

#[test]
fn lengths_at_the_edge_of_a_number_end_the_walk() {
    let place = [b"udta", PLACE].concat();
    let cases: [(Audio, &[u8]); 8] = [
        (Audio::Mp4, b"\0\0\0\x0cftypM4A \0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff"),
        (Audio::Mp4, b"\0\0\0\x0cftypM4A \0\0\0\x01free\0\0\0\0\0\0\0\x0f"),
        (Audio::Mp4, b"\0\0\0\x0cftypM4A \0\0\0\x07free"),
        (Audio::Wav, b"RIFF\0\0\0\0WAVEbext\xff\xff\xff\xff"),
        (Audio::Wav, b"RIFF\0\0\0\0WAVEdata\0\0\0\0bext\x04\0\0\0"),
        (Audio::Caf, b"caff\0\x01\0\0info\x7f\xff\xff\xff\xff\xff\xff\xff"),
        (Audio::Flac, b"fLaC\x84\xff\xff\xff"),
        (Audio::Matroska, b"\x1a\x45\xdf\xa3\x80\x12\x54\xc3\x67\x01\xff\xff\xff\xff\xff\xff\xfe"),
    ];
    for (kind, head) in cases {
        let bytes = [head, &place].concat();
        assert!(cleaned(kind, &bytes) == bytes, "{kind:?} {head:?}");
    }
}

#[test]
fn a_chunk_of_odd_length_may_lack_the_byte_that_evens_it_out() {
    let (list, junk) = (chunk(*b"LIST", &[b"INFO", NAME].concat()), chunk(*b"JUNK", &[0; 20]));
    for odd in [&b"data\x03\0\0\0abc\0"[..], b"data\x03\0\0\0abc"] {
        let start = [b"RIFF\0\0\0\0WAVE", odd].concat();
        assert!(cleaned(Audio::Wav, &[&start[..], &list].concat()) == [&start[..], &junk].concat());
    }
}

#[test]
fn depth_has_an_end() {
    let mut bytes = mp4_box(*b"udta", PLACE);
    for _ in 0..2_000 {
        bytes = mp4_box(*b"moov", &bytes);
    }
    assert!(cleaned(Audio::Mp4, &bytes) == bytes);
}

#[test]
fn a_flac_behind_an_id3_tag_is_cleaned_too() {
    let Sample { before, after, .. } = flac();
    let tag = b"ID3\x03\0\0\0\0\0\x02\0\0";
    assert!(cleaned(Audio::Mp3, &[tag, &before[..]].concat()) == [tag, &after[..]].concat());
}

#[test]
fn streams_without_metadata_are_left_alone() {
    let sound = sound();
    for (kind, head) in [(Audio::Amr, &b"#!AMR\n"[..]), (Audio::Unknown, b"udta"), (Audio::Aac, b"\xff\xf1\x50\x80")] {
        let bytes = [head, &sound].concat();
        assert!(cleaned(kind, &bytes) == bytes, "{kind:?}");
    }
}
