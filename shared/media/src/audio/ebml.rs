//! `WebM` and Matroska: elements (RFC 8794). A cleared element becomes `Void` (§11.3.2).

/// The elements whose children are read too: `Segment`, `Info`, `Tracks`, `TrackEntry` (RFC 9559 §5.1).
const ENTERED: [u32; 4] = [0x1853_8067, 0x1549_a966, 0x1654_ae6b, 0xae];
/// The elements to clear: `Tags`, `Attachments`; in `Info` the file names, `Title` and `DateUTC`; a track's `Name`.
/// `CRC-32` is cleared too, because it would be wrong. So is `Void`, because an editor may have renamed one of the
/// others to `Void` without clearing it.
const EMPTIED: [u32; 10] =
    [0x1254_c367, 0x1941_a469, 0x7384, 0x3c_83ab, 0x3e_83bb, 0x7ba9, 0x4461, 0x536e, 0xbf, VOID as u32];
const VOID: u8 = 0xec;

/// Clears the elements that hold metadata.
///
/// The walk is flat: to enter an element, it skips only the element's head. Recorders that cannot seek back leave the
/// lengths of `Segment` and `Cluster` unknown. Such an element ends where an element begins that cannot be inside it.
pub(super) fn clean(bytes: &mut [u8]) {
    let mut rest = bytes;
    while let Some(Head { id, length, content }) = head(rest) {
        let enters = content.is_none() || ENTERED.contains(&id);
        let whole = if enters { Some(length) } else { content.and_then(|content| length.checked_add(content)) };
        let Some(element) = whole.and_then(|whole| rest.split_off_mut(..whole)) else { return };
        if !enters && EMPTIED.contains(&id) {
            empty(element);
        }
    }
}

/// An element's identifier, the length of identifier and length together, and the length of the content unless it is
/// unknown.
struct Head {
    id: u32,
    length: usize,
    content: Option<usize>,
}

fn head(bytes: &[u8]) -> Option<Head> {
    let id_length = width(bytes, 4)?;
    let id = number(bytes.get(..id_length)?);
    let rest = bytes.get(id_length..)?;
    let size_length = width(rest, 8)?;
    let all_ones = (1 << (7 * size_length)) - 1;
    let size = number(rest.get(..size_length)?) & all_ones;
    let content = if size == all_ones { None } else { Some(usize::try_from(size).ok()?) };
    Some(Head { id: u32::try_from(id).ok()?, length: id_length + size_length, content })
}

/// How many bytes a number takes: the leading zero bits of its first byte show it.
fn width(bytes: &[u8], most: usize) -> Option<usize> {
    let width = usize::try_from(bytes.first()?.leading_zeros()).ok()? + 1;
    (width <= most).then_some(width)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Turns a whole element into a `Void` element with a length field of one byte or of eight.
fn empty(element: &mut [u8]) {
    element.fill(0);
    let whole = element.len();
    let [first, size @ ..] = element else { return };
    *first = VOID;
    if let (Some(size), Ok(content)) = (size.first_chunk_mut(), u64::try_from(whole.saturating_sub(9))) {
        *size = (1 << 56 | content).to_be_bytes();
    } else if let (Some(size), Ok(content)) = (size.first_mut(), u8::try_from(whole.saturating_sub(2))) {
        *size = 0x80 | content;
    }
}
