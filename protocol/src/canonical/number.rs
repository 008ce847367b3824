//! Numbers as Python writes them (PROTOCOL 23).

use std::fmt::LowerExp;

/// The text is a float that `f64` cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Appends the number that `text` (a JSON number) holds: integers as they are, floats by the
/// shortest digits of the nearest `f64`.
pub(crate) fn write_number(text: &str, out: &mut String) -> Result<(), OutOfRange> {
    if text == "-0" {
        // An integer in Python, which has no negative zero among them.
        out.push('0');
    } else if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => write_float(float, out),
            _ => return Err(OutOfRange),
        }
    } else {
        out.push_str(text);
    }
    Ok(())
}

/// Appends a finite float as Python's `repr`: shortest digits; plain from 1e-4 to below 1e16, with
/// an exponent of a sign and at least two digits elsewhere.
pub(super) fn write_float(float: impl LowerExp, out: &mut String) {
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = |count: usize| std::iter::repeat_n('0', count);
    out.push_str(sign);
    match usize::try_from(exponent) {
        // 0.0001234: zeros between the point and the digits.
        Err(_) if exponent >= -4 => {
            out.push_str("0.");
            out.extend(zeros(exponent.unsigned_abs() as usize - 1));
            out.push_str(first);
            out.push_str(rest);
        }
        // 1234.5 or 1234000.0: the point moves right, past zeros if the digits run out.
        Ok(shift @ 0..16) => {
            out.push_str(first);
            match rest.split_at_checked(shift) {
                Some((whole, fraction)) if !fraction.is_empty() => {
                    out.push_str(whole);
                    out.push('.');
                    out.push_str(fraction);
                }
                _ => {
                    out.push_str(rest);
                    out.extend(zeros(shift - rest.len()));
                    out.push_str(".0");
                }
            }
        }
        // 1.5e+300, 1e-07.
        _ => {
            out.push_str(mantissa);
            out.push_str(if exponent < 0 { "e-" } else { "e+" });
            if exponent.abs() < 10 {
                out.push('0');
            }
            out.push_str(&exponent.unsigned_abs().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(float: f64) -> String {
        let mut out = String::new();
        write_float(float, &mut out);
        out
    }

    #[test]
    #[allow(
        clippy::excessive_precision,
        reason = "the literals are what a user would write"
    )]
    fn floats_are_written_as_python_writes_them() {
        for (float, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (100.0, "100.0"),
            (123.456, "123.456"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1234567890123456.7, "1234567890123456.8"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (1.5e300, "1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(python(float), text);
        }
    }

    #[test]
    fn an_f32_keeps_its_own_shortest_digits() {
        let mut out = String::new();
        write_float(0.1_f32, &mut out);
        assert_eq!(out, "0.1");
    }

    #[test]
    fn number_texts_keep_integers_and_read_floats() {
        for (text, canonical) in [
            ("-0", "0"),
            ("0", "0"),
            ("1", "1"),
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("1E+2", "100.0"),
            ("-0.0", "-0.0"),
            ("-0e5", "-0.0"),
            ("1e-400", "0.0"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ] {
            let mut out = String::new();
            assert_eq!(write_number(text, &mut out), Ok(()));
            assert_eq!(out, canonical, "{text}");
        }
        assert_eq!(write_number("1e400", &mut String::new()), Err(OutOfRange));
        assert_eq!(
            write_number("-1.0e999", &mut String::new()),
            Err(OutOfRange)
        );
    }
}
