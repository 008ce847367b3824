//! The variables of DESIGN 12: set, but not to what the rule wants.

use super::Findings;
use crate::global::variable;

/// What a variable must be.
#[derive(Clone, Copy)]
enum Rule {
    /// `1/true/yes/on` or `0/false/no/off`.
    Switch,
    /// A decimal of at least 0.
    Seconds,
    /// A decimal above 0.
    SomeSeconds,
    /// An integer from the first to the second.
    Integer(u64, u64),
    /// At least 16 bytes, shown nowhere.
    Secret,
    /// What an HTTP header may carry, shown nowhere.
    Credential,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
}

/// Every variable that the SDK or this command reads.
const KNOWN: [(&str, Rule); 17] = [
    // Read and judged where the target is found.
    ("SERNIXA_BASE_URL", Rule::Text),
    ("SERNIXA_ACCESS_TOKEN", Rule::Credential),
    ("SERNIXA_API_KEY", Rule::Credential),
    ("SERNIXA_ALLOW_INSECURE_HTTP", Rule::Switch),
    ("SERNIXA_POLL_INTERVAL_SECONDS", Rule::Seconds),
    ("SERNIXA_POLL_TIMEOUT_SECONDS", Rule::Seconds),
    ("SERNIXA_TIMEOUT_SECONDS", Rule::SomeSeconds),
    ("SERNIXA_MAX_RETRIES", Rule::Integer(0, 10)),
    ("SERNIXA_MAX_ASYNC_IN_FLIGHT", Rule::Integer(1, u64::MAX)),
    (
        "SERNIXA_SDK_DLP_MODE",
        Rule::Word(&["mask", "warn", "block", "off"]),
    ),
    ("SERNIXA_CAPTURE_ARGUMENTS", Rule::Switch),
    ("SERNIXA_REQUEST_SIGNING_SECRET", Rule::Secret),
    ("SERNIXA_REQUEST_SIGNING_KEY_ID", Rule::Text),
    ("SERNIXA_REQUEST_KMS_KEY_ID", Rule::Text),
    ("SERNIXA_BINDING_KEY", Rule::Secret),
    (
        "SERNIXA_LOG_LEVEL",
        Rule::Word(&[
            "off", "critical", "fatal", "error", "warning", "warn", "info", "debug", "trace",
            "notset",
        ]),
    ),
    ("SERNIXA_DEBUG", Rule::Switch),
];

/// Looks at each variable that is set.
pub(super) fn check(findings: &mut Findings) {
    let before = findings.0.len();
    let mut set = 0;
    for (name, rule) in KNOWN {
        match variable(name) {
            Ok(None) => {}
            Err(failure) => findings.failed("environment", &failure),
            Ok(Some(text)) => {
                set += 1;
                if let Some(wanted) = rule.broken_by(&text) {
                    // Never the value: it may be a secret in the wrong place.
                    let found = format!("{name} is set, but not to {wanted}");
                    findings.wrong("environment", found, "correct it or unset it");
                }
            }
        }
    }
    for (name, meant) in misspelt() {
        let advice = format!("nothing of this SDK reads it; is {meant} meant?");
        findings.warning("environment", format!("{name} is set"), advice);
    }
    if findings.0.len() == before {
        let found = match set {
            0 => "no variable is set".to_owned(),
            1 => "1 variable is set, to what its rule wants".to_owned(),
            _ => format!("{set} variables are set, to what their rules want"),
        };
        findings.good("environment", found);
    }
}

/// Names that are nearly those of a variable, each with that variable.
fn misspelt() -> Vec<(String, &'static str)> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut odd: Vec<_> = names
        .filter_map(|name| near_miss(&name).map(|meant| (name, meant)))
        .collect();
    odd.sort_unstable();
    odd
}

/// The known name that another one differs from in separators, case or one slip alone. Others of
/// this prefix belong to other programs.
fn near_miss(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_uppercase();
    let (exact, bare) = (KNOWN.iter().any(|(known, _)| *known == name), plain(name));
    let meant = |known: &&(&str, Rule)| is_a_slip(plain(known.0).as_bytes(), bare.as_bytes());
    KNOWN
        .iter()
        .find(meant)
        .map(|(known, _)| *known)
        .filter(|_| !exact)
}

/// Whether two words are the same but for one letter that is added, left out or another, or for two
/// neighbours that are exchanged.
fn is_a_slip(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([a, one @ ..], [b, other @ ..]) if a == b => is_a_slip(one, other),
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) | (b, [_, a @ ..]) if a == b => true,
        ([a, b, rest @ ..], [c, d, same @ ..]) => (a, b, rest) == (d, c, same),
        _ => false,
    }
}

impl Rule {
    /// What is wanted, if `text` is not it. `text` is trimmed and not empty.
    fn broken_by(self, text: &str) -> Option<String> {
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        let decimal = || {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            text.parse::<f64>().ok().filter(|_| plain)
        };
        let (kept, wanted) = match self {
            Self::Switch => (
                is(&["1", "true", "yes", "on", "0", "false", "no", "off"]),
                "1, true, yes, on, 0, false, no or off".to_owned(),
            ),
            Self::Seconds => (
                decimal().is_some(),
                "seconds as a decimal of at least 0".to_owned(),
            ),
            Self::SomeSeconds => (
                decimal().is_some_and(|seconds| seconds > 0.0),
                "seconds as a decimal above 0".to_owned(),
            ),
            Self::Integer(least, most) => (
                text.parse().is_ok_and(|n: u64| (least..=most).contains(&n)),
                match most {
                    u64::MAX => format!("an integer of at least {least}"),
                    _ => format!("an integer from {least} to {most}"),
                },
            ),
            Self::Secret => (text.len() >= 16, "at least 16 bytes".to_owned()),
            Self::Credential => (
                text.bytes().all(|byte| byte.is_ascii_graphic()),
                "visible ASCII without blanks".to_owned(),
            ),
            Self::Word(words) => (is(words), words.join(", ")),
            Self::Text => (true, String::new()),
        };
        (!kept).then_some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_of_its_rule_is_found() {
        for (rule, good, bad) in [
            (Rule::Switch, vec!["1", "TRUE", "off"], vec!["2", "y"]),
            (
                Rule::Seconds,
                vec!["0", "2.5"],
                vec!["-1", "1e3", "inf", "2s"],
            ),
            (Rule::SomeSeconds, vec!["0.1"], vec!["0", "0.0", "nan"]),
            (
                Rule::Integer(0, 10),
                vec!["0", "10"],
                vec!["11", "-1", "1.5"],
            ),
            (Rule::Secret, vec!["0123456789abcdef"], vec!["short"]),
            (
                Rule::Credential,
                vec!["srnx_live_x"],
                vec!["a b", "schlüssel"],
            ),
            (Rule::Word(&["mask"]), vec!["Mask"], vec!["masked"]),
        ] {
            for text in good {
                assert_eq!(rule.broken_by(text), None, "{text}");
            }
            for text in bad {
                assert!(rule.broken_by(text).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn a_name_that_nearly_fits_is_found_and_those_of_others_are_left_alone() {
        for odd in [
            "SERNIXA_BASEURL",
            "sernixa_base_url",
            "SERNIXA_ACCESS_TOKENS",
            "SERNIXA_TIMEOUT_SECOND",
            "SERNIXA_ACESS_TOKEN",
            "SERNIXA_ACCESS_TOEKN",
            "SERNIXA_API_KEX",
        ] {
            assert!(near_miss(odd).is_some(), "{odd}");
        }
        for fine in [
            "SERNIXA_BASE_URL",
            "SERNIXA_CONFIG_FILE",
            "PATH",
            "SERNIXA_AGENT_ID",
            "SERNIXA_CONFIG",
            "SERNIXA_APP_KEYS",
        ] {
            assert_eq!(near_miss(fine), None, "{fine}");
        }
        assert_eq!(
            near_miss("SERNIXA_ACESS_TOKEN"),
            Some("SERNIXA_ACCESS_TOKEN")
        );
    }
}
