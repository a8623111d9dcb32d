//! How much memory decoding a picture may take. One that would take more is refused before it is decoded.

use runtime::{ConfigError, Env};

/// Lambda's variable for the memory of a function, in MiB. Lambda sets it; elsewhere it is a setting.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// The default in MiB: the memory of the function in the template.
const UNSAID: u64 = 1769;
/// MiB for everything except pictures: the program, the SDK's connections, the response in progress.
const ELSEWHERE: u64 = 96;
/// The original, and room for what the SDK and the codec copy of it.
const ORIGINALS: u64 = 4;
const MIB: u64 = 1 << 20;

/// The bytes that are left for decoding beside the program and an original of at most `longest` bytes.
pub(super) fn for_decoding(env: &Env, longest: u64) -> Result<u64, ConfigError> {
    let memory = if env.optional(MEMORY).is_some() { env.number(MEMORY)? } else { UNSAID };
    let taken = ELSEWHERE.saturating_add(ORIGINALS.saturating_mul(longest.div_ceil(MIB)));
    Ok(memory.saturating_sub(taken).max(1).saturating_mul(MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_s_memory_is_what_there_is_less_what_is_used_elsewhere() {
        let of = |memory: &[(&str, &str)]| for_decoding(&memory.iter().copied().collect::<Env>(), 20 * MIB);
        assert_eq!(of(&[]).unwrap(), (1769 - 96 - 80) * MIB);
        assert_eq!(of(&[(MEMORY, "1024")]).unwrap(), (1024 - 96 - 80) * MIB);
        assert_eq!(of(&[(MEMORY, "128")]).unwrap(), MIB);
        assert!(of(&[(MEMORY, "much")]).is_err());
    }
}
