//! Numbers as Python writes them (PROTOCOL 23).

use std::fmt::{self, LowerExp, Write};

use crate::text::{is_integer, is_shortest};

/// The text is a float that `f64` cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Appends the number that `text` (a JSON number) holds: integers as they are, floats by the
/// shortest digits of the nearest `f64`.
pub(crate) fn write_number(text: &str, out: &mut String) -> Result<(), OutOfRange> {
    if text == "-0" {
        // An integer in Python, which has no negative zero among them.
        out.push('0');
    } else if is_integer(text) || is_shortest(text) {
        out.push_str(text);
    } else {
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => write_f64(float, out),
            _ => return Err(OutOfRange),
        }
    }
    Ok(())
}

/// Appends a finite `f64` as Python's `repr`, quickly if it has at most four decimals.
#[allow(clippy::float_cmp, reason = "only the very same float will do")]
pub(super) fn write_f64(float: f64, out: &mut String) {
    const SCALE: f64 = 10_000.0;
    let scaled = (float * SCALE).round();
    // A quotient of two integers that `f64` holds is the nearest `f64` to the decimal that they
    // make, and a decimal of up to 15 digits is the shortest that stands for its `f64`.
    if scaled == 0.0 || scaled.abs() >= 1e15 || scaled / SCALE != float {
        return write_float(float, out);
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a whole number below 10^15"
    )]
    let scaled = scaled as i64;
    let (whole, mut fraction, mut width) = (scaled / 10_000, (scaled % 10_000).abs(), 4);
    while width > 1 && fraction % 10 == 0 {
        (fraction, width) = (fraction / 10, width - 1);
    }
    let sign = if scaled < 0 { "-" } else { "" };
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{sign}{}.{fraction:0width$}", whole.abs());
}

/// Appends a finite float as Python's `repr`: shortest digits; plain from 1e-4 to below 1e16, with
/// an exponent of a sign and at least two digits elsewhere.
pub(super) fn write_float(float: impl LowerExp, out: &mut String) {
    let mut scientific = Short::default();
    // The longest is `-2.2250738585072014e-308`.
    let _ = write!(scientific, "{float:e}");
    let scientific = scientific.as_str();
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
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
            // Writing to a `String` cannot fail.
            let _ = write!(out, "{}", exponent.unsigned_abs());
        }
    }
}

/// A short ASCII text on the stack.
#[derive(Default)]
struct Short {
    bytes: [u8; 32],
    length: usize,
}

impl Short {
    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(float: f64) -> String {
        let (mut out, mut long) = (String::new(), String::new());
        write_f64(float, &mut out);
        write_float(float, &mut long);
        assert_eq!(out, long, "both ways agree");
        out
    }

    #[test]
    fn floats_of_few_decimals_are_written_alike_both_ways() {
        for scaled in -300_000..300_000 {
            python(f64::from(scaled) / 10_000.0);
            python(f64::from(scaled) * 1e9 + 0.1);
            python(f64::from(scaled) / 10_001.0);
            python(f64::from_bits(
                0x3f1a_36e2_eb1c_432d_u64.wrapping_add_signed(i64::from(scaled)),
            ));
        }
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
            (0.000_123_45, "0.00012345"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1_234_567_890_123_456.7, "1234567890123456.8"),
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
    fn the_short_cut_says_what_the_long_way_says() {
        // Every text of up to five digits around a point, and longer ones at random.
        let check = |text: &str| {
            let mut long = String::new();
            write_float(text.parse::<f64>().unwrap(), &mut long);
            assert!(!is_shortest(text) || text == long, "{text} {long}");
        };
        for digits in 0..100_000_u32 {
            let padded = format!("{digits:05}");
            for point in 1..5 {
                let (whole, fraction) = padded.split_at(point);
                let whole = whole.trim_start_matches('0');
                check(&format!(
                    "{}.{fraction}",
                    if whole.is_empty() { "0" } else { whole }
                ));
            }
        }
        let mut seed = 1_u64;
        for _ in 0..200_000 {
            // Knuth's MMIX generator: any spread of digits will do.
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let digits = (seed >> 12).to_string();
            let point = usize::try_from(1 + seed % 12).unwrap();
            let (whole, fraction) = digits.split_at(point.min(digits.len() - 1));
            check(&format!("{whole}.{fraction}"));
            let cut = fraction
                .len()
                .min(15_usize.saturating_sub(whole.len()))
                .max(1);
            check(&format!("-{whole}.{}", &fraction[..cut]));
            check(&format!("0.{}", &digits[..15.min(digits.len())]));
        }
        for (text, short) in [
            ("0.0", true),
            ("-0.0", true),
            ("1.50", false),
            ("0.0001", false),
            ("0.001", true),
            ("1.5e3", false),
            ("1e3", false),
        ] {
            assert_eq!(is_shortest(text), short, "{text}");
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
