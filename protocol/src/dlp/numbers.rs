//! Numbers of people and accounts: US social security numbers and IBANs.

use std::ops::Range;

/// The US social security number whose first digit stands at `at`: `AAA-GG-SSSS` as it is given
/// out, alone, without further groups.
pub(super) fn us_ssn(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let number = bytes.get(at..at + 11)?;
    let shaped = number.iter().enumerate().all(|(place, byte)| match place {
        3 | 6 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let touches = |byte: Option<&u8>| {
        byte.is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if !shaped
        || touches(at.checked_sub(1).and_then(|before| bytes.get(before)))
        || touches(bytes.get(at + 11))
    {
        return None;
    }
    // Never given out: area 000, 666 and 9xx, group 00, serial 0000.
    let area = number.get(..3)?;
    let given = area != b"000"
        && area != b"666"
        && !area.starts_with(b"9")
        && number.get(4..6)? != b"00"
        && number.get(7..)? != b"0000";
    given.then_some(at..at + 11)
}

/// The IBAN whose check digits begin at `at` (ISO 13616): a country that has them, its length, and
/// a remainder of 1. Written in one piece or in groups parted by single spaces.
pub(super) fn iban(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(2)?;
    let country = bytes.get(start..at)?;
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    if before.is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let length = country_length(country)?;
    let mut place = 0;
    let mut end = start;
    // The first four characters count last.
    let mut head = [0_u8; 4];
    let mut remainder = 0_u32;
    while place < length {
        let mut byte = *bytes.get(end)?;
        if byte == b' ' && place > 2 {
            end += 1;
            byte = *bytes.get(end)?;
        }
        end += 1;
        match head.get_mut(place) {
            Some(slot) => *slot = byte,
            None => remainder = append(remainder, byte)?,
        }
        place += 1;
    }
    let remainder = head
        .iter()
        .try_fold(remainder, |remainder, &byte| append(remainder, byte))?;
    let goes_on = bytes
        .get(end)
        .is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (remainder == 1 && !goes_on).then_some(start..end)
}

/// Appends a digit, or a letter as two (A is 10), to a number modulo 97.
fn append(remainder: u32, byte: u8) -> Option<u32> {
    let value = char::from(byte).to_digit(36)?;
    Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
}

/// How many characters an IBAN of a country has (SWIFT IBAN registry).
fn country_length(country: &[u8]) -> Option<usize> {
    const LENGTHS: &[(usize, &str)] = &[
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    ];
    LENGTHS.iter().find_map(|(length, countries)| {
        countries
            .as_bytes()
            .chunks(3)
            .any(|entry| entry.starts_with(country))
            .then_some(*length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ssn_is_one_that_may_have_been_given_out() {
        assert_eq!(us_ssn(b"ssn 219-09-9999.", 4), Some(4..15));
        for (text, at) in [
            ("000-12-3456", 0),
            ("666-12-3456", 0),
            ("912-12-3456", 0),
            ("219-00-9999", 0),
            ("219-09-0000", 0),
            ("219-09-99999", 0),
            ("1-219-09-9999", 2),
            ("219-09-9999-1", 0),
            ("x219-09-9999", 1),
            ("219 09 9999", 0),
            ("219-09-999", 0),
            ("2024-11-22", 0),
        ] {
            assert_eq!(us_ssn(text.as_bytes(), at), None, "{text}");
        }
    }

    #[test]
    fn an_iban_has_its_country_s_length_and_check_digits() {
        for text in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "GB29 NWBK 6016 1331 9268 19",
            "NO9386011117947",
            "FR1420041010050500013M02606",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert_eq!(iban(text.as_bytes(), 2), Some(0..text.len()), "{text}");
            let wrong = text.replacen('1', "2", 1);
            assert_eq!(iban(wrong.as_bytes(), 2), None, "{wrong}");
            assert_eq!(iban(format!("{text}7").as_bytes(), 2), None);
            assert_eq!(iban(format!("X{text}").as_bytes(), 3), None);
        }
        for text in [
            "ZZ89370400440532013000",
            "DE89",
            "DE",
            "DE89  3704004405320130 00",
            "D E8",
        ] {
            assert_eq!(iban(text.as_bytes(), 2), None, "{text}");
        }
    }
}
