//! RIFF, the container of WebP (RFC 9649): chunks, each behind its kind and its length.

/// A chunk.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Four letters that say what it is.
    pub kind: [u8; 4],
    /// Its content.
    pub data: &'a [u8],
}

/// The chunks of some bytes, up to the first that is cut short. The bytes from there on are left over.
#[derive(Clone, Debug)]
pub struct Chunks<'a>(pub &'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.0.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let data = rest.get(..length)?;
        // A byte evens out the length. The last chunk may lack it, which some encoders forget.
        self.0 = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some(Chunk { kind: *kind, data })
    }
}

/// Appends a chunk.
pub fn write(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    out.extend(kind);
    out.extend(length(data.len()));
    out.extend(data);
    if !data.len().is_multiple_of(2) {
        out.push(0);
    }
}

/// A WebP file of these chunks.
#[must_use]
pub fn webp(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &length(chunks.len() + 4), b"WEBP", chunks].concat()
}

/// A length as four bytes. Nothing is longer than what it was read from, whose length had four.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}
