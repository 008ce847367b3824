//! Times as a person reads them: how long ago, and how long yet.

use jiff::SignedDuration;
use jiff::Timestamp;

/// The time that an RFC 3339 text names, if it does.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The system's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// How long ago `text` was: `42s`, `3m`, `2h`, `5d`. A clock that is a little behind reads as now.
pub(crate) fn age(text: Option<&str>, now: Timestamp) -> Option<String> {
    let then = parse(text?)?;
    Some(short(now.duration_since(then)))
}

/// How long it is until `text`: as [`age`], or `past`.
pub(crate) fn until(text: Option<&str>, now: Timestamp) -> Option<String> {
    let left = parse(text?)?.duration_since(now);
    Some(if left > SignedDuration::ZERO {
        short(left)
    } else {
        "past".to_owned()
    })
}

/// The largest unit alone: what is to be decided soon is read in seconds, what is old in days.
fn short(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        ..100 => format!("{seconds}s"),
        100..6_000 => format!("{}m", seconds / 60),
        6_000..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_one_unit() {
        let now = parse("2026-11-22T12:00:00Z").unwrap();
        for (text, expected) in [
            ("2026-11-22T12:00:00.000Z", "0s"),
            ("2026-11-22T11:59:01.500Z", "58s"),
            ("2026-11-22T11:57:00Z", "3m"),
            ("2026-11-22T13:00:00+04:00", "3h"),
            ("2026-11-12T12:00:00Z", "10d"),
            ("2026-11-22T12:00:09Z", "0s"),
        ] {
            assert_eq!(age(Some(text), now).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(until(Some("2026-11-22T12:15:00Z"), now).unwrap(), "15m");
        assert_eq!(until(Some("2026-11-22T12:00:00Z"), now).unwrap(), "past");
    }

    #[test]
    fn what_is_no_time_is_not_guessed() {
        let now = parse("2026-11-22T12:00:00Z").unwrap();
        for odd in [
            "",
            "yesterday",
            "2026-11-22",
            "1790000000",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(age(Some(odd), now), None, "{odd}");
        }
        assert_eq!(age(None, now), None);
        assert!(until(Some("9999-12-30T00:00:00Z"), now).is_some());
    }
}
