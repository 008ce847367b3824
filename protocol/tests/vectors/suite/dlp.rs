//! dlp.json: what the reference masks, and what it reports. `dlp_regressions.json`: texts on which
//! its regular expressions and ours could differ.

use serde_json::Value;
use sernixa_protocol::dlp::{Detectors, Finding, Mode, protect_metadata, protect_metadata_json};
use sernixa_protocol::json::Node;

use super::{cases, member, object, text};

/// Checks each case through the form on text, and through the `Value` form where its values fit;
/// returns how many did.
fn check(cases: &[Node<'_>]) -> usize {
    let detectors = Detectors::reference();
    let mut through_values = 0;
    for &case in cases {
        let mode: Mode = text(case, "mode").parse().unwrap();
        let blocked = member(case, "blocked").as_bool().unwrap();
        let expected: Vec<Value> = member(case, "findings")
            .elements()
            .map(|finding| finding.to_value().unwrap())
            .collect();

        let metadata = member(case, "metadata").raw();
        let protected = protect_metadata_json(metadata, mode, &detectors).unwrap();
        assert_eq!(
            sernixa_protocol::canonicalize(&protected.metadata).unwrap(),
            sernixa_protocol::canonicalize(member(case, "protected").raw()).unwrap(),
            "{}",
            case.raw()
        );
        assert_eq!(values(&protected.findings), expected, "{}", case.raw());
        assert_eq!(protected.blocked, blocked);

        if let (Some(metadata), Some(masked)) = (
            object(member(case, "metadata")),
            object(member(case, "protected")),
        ) {
            let protected = protect_metadata(&metadata, mode, &detectors);
            assert_eq!(protected.metadata, masked, "{}", case.raw());
            // A map without `preserve_order` is sorted, and so are its findings.
            assert_eq!(
                sorted(values(&protected.findings)),
                sorted(expected),
                "{}",
                case.raw()
            );
            assert_eq!(protected.blocked, blocked);
            through_values += 1;
        }
    }
    through_values
}

fn values(findings: &[Finding]) -> Vec<Value> {
    findings.iter().map(Finding::to_value).collect()
}

fn sorted(mut findings: Vec<Value>) -> Vec<Value> {
    findings.sort_by_cached_key(Value::to_string);
    findings
}

#[test]
fn every_text_is_masked_and_reported_as_by_the_reference() {
    // The other 24 hold integers that no `Value` does.
    assert_eq!(check(&cases(include_str!("../dlp.json"), 500)), 476);
}

#[test]
fn texts_that_could_differ_do_not() {
    // Made by dlp_regressions.py --seed 1 --count 500 with sernixa 0.2.0.
    assert_eq!(
        check(&cases(include_str!("../dlp_regressions.json"), 500)),
        500
    );
}

/// `dlp_regressions.py` makes as many cases as one likes; this reads those in the file that
/// `SERNIXA_DLP_CASES` names.
#[test]
#[ignore = "needs a file of cases made by dlp_regressions.py"]
fn many_more_texts_are_masked_and_reported_as_by_the_reference() {
    let path = std::env::var("SERNIXA_DLP_CASES").unwrap();
    let file: &'static str = std::fs::read_to_string(path).unwrap().leak();
    let count = file.matches("\"blocked\":").count();
    assert!(count > 0 && check(&cases(file, count)) > 0);
}
