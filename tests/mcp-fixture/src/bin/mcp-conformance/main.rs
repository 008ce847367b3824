//! Runs the official MCP conformance suite against the fixture server, directly and through
//! `sernixa mcp proxy` in three ways, and compares check by check.
//!
//! Exits with 0 when the same checks pass each way, enough of them, and none fails; else with 1, and
//! what differs is listed.

mod suite;
mod way;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use sernixa_mcp_fixture::Failure;

use suite::{Results, Revision};
use way::{Programs, Way};

/// Runs the MCP conformance suite against the fixture, directly and through the proxy.
#[derive(clap::Parser)]
struct Arguments {
    /// The folder with Node and the suite, as `tests/node/setup` makes it.
    #[arg(long, value_name = "FOLDER", default_value = "target/node")]
    node: PathBuf,

    /// Where results, output and the ways' own files go; what is in it is deleted.
    #[arg(long, value_name = "FOLDER", default_value = "target/mcp-conformance")]
    results: PathBuf,

    /// Only these ways. The direct one is what the others are compared with.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Way::ALL)]
    ways: Vec<Way>,

    /// Only these revisions of the specification.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Revision::ALL)]
    revisions: Vec<Revision>,
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    if arguments.results.exists() {
        std::fs::remove_dir_all(&arguments.results)?;
    }
    let programs = Programs::beside_this_one()?;
    let mut rows = Vec::new();
    for &revision in &arguments.revisions {
        for &way in &arguments.ways {
            let folder = arguments.results.join(format!("{revision}-{way}"));
            std::fs::create_dir_all(&folder)?;
            let running = way.start(&programs, &folder)?;
            let began = Instant::now();
            let results = suite::run(&arguments.node, revision, running.url(), &folder)?;
            let seconds = began.elapsed().as_secs_f64();
            println!(
                "{revision}  {:<28} {:>3} passed, {} failed, {} other   {seconds:.1} s",
                way.shown(),
                results.passed(),
                results.failed(),
                results.others(),
            );
            rows.push((revision, way, results));
        }
    }
    let faults = judge(&rows);
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("the same checks pass each way");
        return Ok(ExitCode::SUCCESS);
    }
    println!("what was said stands in {}", arguments.results.display());
    Ok(ExitCode::FAILURE)
}

/// What is not as it must be: too few checks, a failed one, one that another way has in another state.
fn judge(rows: &[(Revision, Way, Results)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (revision, way, results) in rows {
        if results.passed() < revision.at_least() {
            let least = revision.at_least();
            faults.push(format!(
                "{revision} {way}: fewer than {least} checks passed"
            ));
        }
        faults.extend(
            results
                .failures()
                .map(|text| format!("{revision} {way}: {text}")),
        );
        let same = |row: &&(Revision, Way, Results)| row.0 == *revision && row.1 == Way::Direct;
        let Some((_, _, direct)) = rows.iter().find(same) else {
            continue;
        };
        let (theirs, ours): (BTreeSet<_>, BTreeSet<_>) = (direct.states(), results.states());
        for state in theirs.difference(&ours) {
            faults.push(format!(
                "{revision} {way}: not so, though so directly: {state}"
            ));
        }
        for state in ours.difference(&theirs) {
            faults.push(format!(
                "{revision} {way}: so, though not so directly: {state}"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The faults of a way whose checks end so, where directly 80 pass.
    fn faults(end: impl Fn(u32) -> Option<&'static str>) -> Vec<String> {
        let checks = |end: &dyn Fn(u32) -> Option<&'static str>| -> Value {
            (0..80)
                .filter_map(|number| Some((number, end(number)?)))
                .map(
                    |(number, status)| json!({ "id": format!("check-{number}"), "status": status }),
                )
                .collect()
        };
        let row = |way, checks| (Revision::Sessions, way, suite::results(checks));
        judge(&[
            row(Way::Direct, checks(&|_| Some("SUCCESS"))),
            row(Way::Stdio, checks(&end)),
        ])
    }

    #[test]
    fn the_same_checks_must_pass_each_way() {
        assert_eq!(faults(|_| Some("SUCCESS")), Vec::<String>::new());
        let but = |status| move |number| if number == 7 { status } else { Some("SUCCESS") };
        for status in [Some("FAILURE"), Some("WARNING"), Some("SKIPPED"), None] {
            let faults = faults(but(status));
            let said = |text: &str| faults.iter().any(|fault| fault.contains(text));
            assert!(said("fewer than 80 checks passed"), "{faults:?}");
            assert!(
                said("not so, though so directly: a-scenario: check-7 (1): SUCCESS"),
                "{faults:?}"
            );
        }
    }
}
