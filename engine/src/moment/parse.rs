//! Reading times and days as people and programs write them.

use std::time::Duration;

use super::Timestamp;

const MINUTE: u64 = 60_000;
const DAY: Duration = Duration::from_hours(24);

impl Timestamp {
    /// Reads a time of RFC 3339, with any offset from UTC; without one it is in UTC. What is finer
    /// than a millisecond is cut off. `None` for anything else, and for what is before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_at_checked(10)?;
        let time = time.strip_prefix(['T', 't', ' '])?;
        let (clock, rest) = time.split_at_checked(8)?;
        let (hours, clock) = digits(clock, 2)?;
        let (minutes, clock) = digits(clock.strip_prefix(':')?, 2)?;
        let (seconds, clock) = digits(clock.strip_prefix(':')?, 2)?;
        if !clock.is_empty() || hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let (fraction, offset) = match rest.strip_prefix('.') {
            Some(rest) => {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                let (fraction, offset) = rest.split_at_checked(end)?;
                (millis(fraction)?, offset)
            }
            None => (0, rest),
        };
        let within = (hours * 60 + minutes) * MINUTE + seconds * 1_000 + fraction;
        let local = Self::parse_day(date)?.0.checked_add(within)?;
        let millis = match offset_minutes(offset)? {
            (Sign::East, minutes) => local.checked_sub(minutes * MINUTE)?,
            (Sign::West, minutes) => local.checked_add(minutes * MINUTE)?,
        };
        Some(Self(millis))
    }

    /// Reads `YYYY-MM-DD`: the beginning of that day in UTC. `None` for anything else, for days
    /// that no calendar has, and for what is before 1970.
    pub fn parse_day(text: &str) -> Option<Self> {
        let (year, rest) = digits(text, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
        if !rest.is_empty() || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return None;
        }
        // Years counted from March, so that the leap day is the last of its year.
        let (years, months) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let days =
            years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
        let time = Self(days.checked_sub(719_468)?.checked_mul(86_400_000)?);
        // A day that the month does not have reads back as another one.
        time.to_string().starts_with(text).then_some(time)
    }

    /// The beginning of the next day.
    pub(crate) fn next_day(self) -> Self {
        self.plus(DAY)
    }
}

#[derive(Clone, Copy)]
enum Sign {
    East,
    West,
}

/// `Z`, `+02:00`, `-0530`, or nothing, which is UTC.
fn offset_minutes(text: &str) -> Option<(Sign, u64)> {
    let (sign, rest) = match text.as_bytes().first() {
        None => return Some((Sign::East, 0)),
        Some(b'Z' | b'z') if text.len() == 1 => return Some((Sign::East, 0)),
        Some(b'+') => (Sign::East, text.get(1..)?),
        Some(b'-') => (Sign::West, text.get(1..)?),
        Some(_) => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some((sign, hours * 60 + minutes))
}

/// The first three digits of a fraction of a second.
fn millis(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let mut millis = 0;
    for place in 0..3 {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        millis = millis * 10 + u64::from(digit.checked_sub(b'0')?);
    }
    Some(millis)
}

/// The number in exactly the first `count` digits, and what follows.
fn digits(text: &str, count: usize) -> Option<(u64, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| plain)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for millis in [
            0,
            951_782_399_999,
            951_782_400_000,
            1_778_000_000_123,
            4_107_542_400_000,
            253_402_300_799_999,
        ] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
    }

    #[test]
    fn the_forms_of_other_programs_are_read() {
        let time = Timestamp::from_millis(1_778_000_000_500);
        for text in [
            "2026-05-05T16:53:20.5Z",
            "2026-05-05t16:53:20.500999z",
            "2026-05-05 16:53:20.5",
            "2026-05-05T18:53:20.5+02:00",
            "2026-05-05T11:23:20.500000-0530",
            "2026-05-06T00:00:20.5+07:07",
        ] {
            assert_eq!(Timestamp::parse(text), Some(time), "{text}");
        }
        let day = Timestamp::parse("2024-02-29T00:00:00Z");
        assert_eq!(Timestamp::parse_day("2024-02-29"), day);
        assert_eq!(
            day.map(Timestamp::next_day),
            Timestamp::parse("2024-03-01T00:00:00Z")
        );
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "2026-05-05",
            "2026-05-05T",
            "2026-05-05T16:53",
            "2026-05-05T24:00:00Z",
            "2026-05-05T16:60:00Z",
            "2026-05-05T16:53:20.Z",
            "2026-05-05T16:53:20.1234567890Z",
            "2026-05-05T16:53:20ZZ",
            "2026-05-05T16:53:20+2:00",
            "2026-05-05T16:53:20+02:00 ",
            "2026-05-05T+6:53:20Z",
            "1970-01-01T00:00:00+00:01",
            "2026-05-05T16:5é:20Z",
            "١٩٧٠-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for text in [
            "2023-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2026-04-00",
            "1969-12-31",
            "26-04-01",
            "2026-04-011",
            "2026/04/01",
        ] {
            assert_eq!(Timestamp::parse_day(text), None, "{text}");
        }
    }
}
