//! From a text to a value: each failure says the rule, and never the text, which may be a secret
//! in the wrong place.

use std::ffi::OsString;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sernixa_protocol::dlp::Mode;

use super::SECRET_MIN;
use crate::error::Error;
use crate::logging::Verbosity;

/// No duration is longer: what is meant is "for ever", and sums with it must not overflow.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);

/// Where a value came from, as its error names it.
pub(super) type Name = &'static str;

/// Reads variables through a closure, so that a test needs no process-wide environment.
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    /// A variable's text without blanks around it; `None` if unset or empty.
    ///
    /// # Errors
    /// `Configuration` when it is not UTF-8.
    pub(super) fn text(&self, name: Name) -> Result<Option<String>, Error> {
        let text = self.raw(name)?.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A secret: as [`text`](Self::text), but blanks around it belong to it.
    pub(super) fn secret(&self, name: Name) -> Result<Option<SecretString>, Error> {
        Ok(self.raw(name)?.map(SecretString::from))
    }

    /// A variable that is parsed, where it is set.
    pub(super) fn parsed<T>(
        &self,
        name: Name,
        parse: impl FnOnce(Name, &str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.text(name)?.map(|text| parse(name, &text)).transpose()
    }

    fn raw(&self, name: Name) -> Result<Option<String>, Error> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let text = value.into_string();
        text.map(Some)
            .map_err(|_| wrong(name, "is not UTF-8", "expected text"))
    }
}

/// The error of a setting: what is wrong with it, and the rule.
pub(super) fn wrong(name: Name, fault: &str, rule: &str) -> Error {
    Error::configuration(format!("{name} {fault}; {rule}"))
}

/// `1/true/yes/on` or `0/false/no/off`, in any case.
pub(super) fn truth(name: Name, text: &str) -> Result<bool, Error> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "true", "yes", "on"]) {
        Ok(true)
    } else if is(["0", "false", "no", "off"]) {
        Ok(false)
    } else {
        let rule = "expected 1, true, yes, on, 0, false, no or off";
        Err(wrong(name, "is neither yes nor no", rule))
    }
}

/// Seconds as a plain decimal, at least 0.
pub(super) fn seconds(name: Name, text: &str) -> Result<Duration, Error> {
    let rule = "expected seconds as a decimal number of at least 0, such as 2 or 0.5";
    if text.starts_with('-') {
        return Err(wrong(name, "is negative", rule));
    }
    // `f64` also reads `inf`, `nan` and `1e400`; only digits and a point are meant.
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let parsed = digits.parse::<f64>().ok().filter(|_| plain);
    let Some(seconds) = parsed else {
        return Err(wrong(name, "is not a decimal number", rule));
    };
    Ok(bounded(
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST),
    ))
}

/// Cuts a duration to one that sums cannot overflow.
pub(super) fn bounded(duration: Duration) -> Duration {
    duration.min(LONGEST)
}

/// A duration that may not be zero.
pub(super) fn more_than_zero(name: Name, duration: Duration) -> Result<Duration, Error> {
    if duration.is_zero() {
        return Err(wrong(name, "is zero", "expected more than 0 seconds"));
    }
    Ok(bounded(duration))
}

/// An integer from 0 to 10.
pub(super) fn retries(name: Name, text: &str) -> Result<u32, Error> {
    let rule = "expected an integer from 0 to 10";
    let retries = integer(name, text, rule)?;
    u32::try_from(retries)
        .ok()
        .filter(|&retries| retries <= 10)
        .ok_or_else(|| wrong(name, "is more than 10", rule))
}

/// An integer of at least 1.
pub(super) fn in_flight(name: Name, text: &str) -> Result<usize, Error> {
    let rule = "expected an integer of at least 1";
    let count = integer(name, text, rule)?;
    if count == 0 {
        return Err(wrong(name, "is zero", rule));
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Digits; more than fit count as the most that fit, which every caller's rule then judges.
fn integer(name: Name, text: &str, rule: &str) -> Result<u64, Error> {
    if text.starts_with('-') {
        return Err(wrong(name, "is negative", rule));
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(name, "is not an integer", rule));
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// `mask`, `warn`, `block` or `off`, in any case.
pub(super) fn dlp_mode(name: Name, text: &str) -> Result<Mode, Error> {
    match text.to_ascii_lowercase().as_str() {
        "mask" => Ok(Mode::Mask),
        "warn" => Ok(Mode::Warn),
        "block" => Ok(Mode::Block),
        "off" => Ok(Mode::Off),
        // The reference sends everything unmasked when the word is misspelt (PROTOCOL 16).
        _ => Err(wrong(
            name,
            "is not a mode",
            "expected mask, warn, block or off",
        )),
    }
}

/// A level of the log, in any case.
pub(super) fn verbosity(name: Name, text: &str) -> Result<Verbosity, Error> {
    Verbosity::from_word(text).ok_or_else(|| {
        let rule = "expected OFF, CRITICAL, ERROR, WARNING, INFO, DEBUG or TRACE";
        wrong(name, "is not a level", rule)
    })
}

/// A bearer credential: trimmed, visible ASCII; `None` if nothing is left.
pub(super) fn credential(name: Name, secret: &SecretString) -> Result<Option<SecretString>, Error> {
    let text = secret.expose_secret().trim();
    if text.is_empty() {
        return Ok(None);
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        let fault = "holds a character that no HTTP header may carry";
        return Err(wrong(name, fault, "expected visible ASCII without blanks"));
    }
    Ok(Some(SecretString::from(text)))
}

/// A secret that signs or binds: at least 16 bytes.
pub(crate) fn secret_of_use(
    name: &'static str,
    secret: SecretString,
) -> Result<SecretString, Error> {
    if secret.expose_secret().len() < SECRET_MIN {
        return Err(wrong(name, "is too short", "expected at least 16 bytes"));
    }
    Ok(secret)
}
