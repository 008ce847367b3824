//! What the texts of strings and numbers look like, at a glance.

/// The place of the first byte that needs an escape (`"`, `\`, below U+0020), if there is one.
///
/// Eight bytes at a time, since strings are most of what is read and written. The three tests set
/// the high bit of each byte that fails them, and never set it below the first such byte.
pub(crate) fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    rest.iter()
        .position(special)
        .map(|place| words.len() * 8 + place)
}

/// Whether a JSON number is written without fraction and exponent.
pub(crate) fn is_integer(number: &str) -> bool {
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Whether a JSON number with a point is surely its own canonical text (PROTOCOL 23). Decimals of up to 15
/// digits come back from `f64` as they were, so no shorter one can stand for the same `f64`.
pub(crate) fn is_shortest(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, fraction)) = digits.split_once('.') else {
        return false;
    };
    // Past three zeros after `0.` an exponent may be due.
    let small = whole == "0" && fraction != "0" && fraction.starts_with("000");
    let padded = fraction.len() > 1 && fraction.ends_with('0');
    digits.len() <= 16 && !small && !padded && !fraction.contains(['e', 'E'])
}

#[cfg(test)]
mod tests {
    use super::first_special;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                for place in 0..length {
                    for other in [b' ', b'!', b'a', 0x7f, 0x80, 0xff] {
                        let mut bytes = vec![other; length];
                        bytes[place] = byte;
                        let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                        assert_eq!(first_special(&bytes), special.then_some(place), "{bytes:?}");
                    }
                }
            }
        }
        assert_eq!(first_special(b"\x20\x1f\"\\abcd"), Some(1));
    }
}
