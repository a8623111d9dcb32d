//! Reads a tile's properties from its code, and checks them before decoding.
//!
//! The decoder allocates memory for the whole coded picture, although a window in the code may show only one pixel of
//! it, and for every entry point that a slice header announces. So both are checked here first, with the decoder's own
//! parsers.

use heic_decoder::HeifError;
use heic_decoder::bitreader::strip_emulation_prevention;
use heic_decoder::hevc::nal::{NAL_PPS, NAL_SPS, is_slice_nal, parse_nal_header};
use heic_decoder::hevc::params::{Pps, Sps, parse_pps, parse_sps};
use heic_decoder::hevc::slice::parse_slice_header;
use heic_decoder::isobmff::{self, HevcDecoderConfig};

/// The most samples per side that a window may hide: less than the largest block. Encoders pad sizes to whole blocks.
const HIDDEN: u32 = 64;

/// A slice header must end within this many bytes. Each entry point takes up to four bytes, and there is at most one
/// per row of blocks.
const HEADER: usize = 8 << 10;

/// The most units in a tile. Encoders write one for each slice and a few more.
const MAX_UNITS: usize = 2048;

/// The properties of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    /// Visible width and height.
    pub(super) shown: (u32, u32),
    /// Decoded width and height.
    pub(super) coded: (u32, u32),
    /// Samples of all planes per luma sample, rounded up.
    pub(super) planes: u64,
}

/// Reads the properties of the tile in `file`, and rejects a tile that would need too much memory to decode.
pub(super) fn stated(file: &[u8]) -> Result<Stated, HeifError> {
    let parsed = isobmff::parse(file)?;
    let image = parsed.images.first().ok_or(HeifError::MalformedBox("no image to decode"))?;
    let config = &image.hevc_config;
    let sps = first(config, NAL_SPS, parse_sps)?;
    let pps = first(config, NAL_PPS, parse_pps)?;
    let coded = (sps.pic_width_in_luma_samples, sps.pic_height_in_luma_samples);
    let [left, right, top, bottom] = sps.conformance_window;
    let shown = |side: u32, hidden: Option<u32>| {
        let hidden = hidden.filter(|hidden| *hidden < HIDDEN)?;
        side.checked_sub(hidden).filter(|side| *side > 0)
    };
    let shown = shown(coded.0, left.checked_add(right)).zip(shown(coded.1, top.checked_add(bottom)));
    let shown = shown.ok_or(HeifError::MalformedHevc("the window shows too little of the picture"))?;
    judge_slices(config, &image.data, &sps, &pps)?;
    Ok(Stated { shown, coded, planes: if sps.chroma_format_idc == 3 { 3 } else { 2 } })
}

/// The first parameter set of a kind; the decoder uses this one.
fn first<T>(
    config: &HevcDecoderConfig,
    kind: u8,
    parse: impl Fn(&[u8]) -> Result<T, HeifError>,
) -> Result<T, HeifError> {
    for unit in config.nalus_of_type(kind) {
        let (header, payload) = parse_nal_header(unit)?;
        if header.nal_unit_type == kind && header.nuh_layer_id == 0 {
            return parse(&strip_emulation_prevention(payload));
        }
    }
    Err(HeifError::MalformedHevc("a parameter set is missing"))
}

/// Reads the header of each slice, which must end soon.
fn judge_slices(config: &HevcDecoderConfig, data: &[u8], sps: &Sps, pps: &Pps) -> Result<(), HeifError> {
    let of_length = usize::from(config.length_size_minus_one) + 1;
    let mut rest = data;
    for _ in 0..MAX_UNITS {
        let Some((length, after)) = rest.split_at_checked(of_length) else { return Ok(()) };
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let cut_short = HeifError::MalformedHevc("a unit is longer than the data");
        let (unit, after) = after.split_at_checked(length).ok_or(cut_short)?;
        let (header, payload) = parse_nal_header(unit)?;
        if is_slice_nal(header.nal_unit_type) && header.nuh_layer_id == 0 {
            let start = payload.get(..HEADER).unwrap_or(payload);
            parse_slice_header(&strip_emulation_prevention(start), header.nal_unit_type, sps, pps)?;
        }
        rest = after;
    }
    Err(HeifError::LimitExceeded("more units than a picture has"))
}
