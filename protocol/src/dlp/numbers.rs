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
    // A letter or digit makes it part of a word, a further group part of another number. `]` ends a
    // mask, under which such a group may lie.
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let goes_on = match bytes.get(at + 11..).unwrap_or_default() {
        [b'-', next, ..] => next.is_ascii_digit(),
        rest => rest.first().is_some_and(|&byte| is_word(byte)),
    };
    let continues = match bytes.get(..at).unwrap_or_default() {
        [.., before, b'-'] => is_word(*before) || *before == b']',
        rest => rest.last().is_some_and(|&byte| is_word(byte)),
    };
    if !shaped || goes_on || continues {
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
    let &[first, second] = bytes.get(start..at)? else {
        return None;
    };
    let length = country_length([first, second])?;
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    if before.is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let mut place = 0;
    let mut end = start;
    // The first four characters count last.
    let mut head = [0_u8; 4];
    let mut number = 0_u64;
    while place < length {
        let mut byte = *bytes.get(end)?;
        if byte == b' ' && place > 2 {
            end += 1;
            byte = *bytes.get(end)?;
        }
        end += 1;
        match head.get_mut(place) {
            Some(slot) => *slot = byte,
            None => number = append(number, byte)?,
        }
        place += 1;
    }
    let number = head
        .iter()
        .try_fold(number, |number, &byte| append(number, byte))?;
    let goes_on = bytes
        .get(end)
        .is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (number % 97 == 1 && !goes_on).then_some(start..end)
}

/// Appends a digit, or a letter as two (A is 10), to a number of which the remainder by 97 counts.
fn append(number: u64, byte: u8) -> Option<u64> {
    let value = u64::from(char::from(byte).to_digit(36)?);
    let number = number * if value < 10 { 10 } else { 100 } + value;
    // Dividing now and then is enough to stay in range.
    Some(if number < 1 << 56 {
        number
    } else {
        number % 97
    })
}

/// How many characters an IBAN of a country has (SWIFT IBAN registry).
#[rustfmt::skip]
fn country_length(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FK" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
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
