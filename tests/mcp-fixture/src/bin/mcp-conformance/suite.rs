//! The suite: running it, and reading what it found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use sernixa_mcp_fixture::Failure;

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// What the suite tests for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Revision {
    /// Every scenario that applies to 2025-11-25.
    #[value(name = "2025-11-25")]
    Sessions,
    /// What 2026-07-28 requires, and what the suite runs beside it.
    #[value(name = "2026-07-28")]
    Stateless,
}

impl Revision {
    pub(crate) const ALL: [Self; 2] = [Self::Sessions, Self::Stateless];

    /// How many checks must pass, so that a suite that does nothing does not pass for one that does.
    pub(crate) fn at_least(self) -> usize {
        match self {
            Self::Sessions => 80,
            Self::Stateless => 190,
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Sessions => &["--suite", "all", "--spec-version", "2025-11-25"],
            Self::Stateless => &["--requirements", "2026-07-28"],
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sessions => "2025-11-25",
            Self::Stateless => "2026-07-28",
        })
    }
}

/// One check, as the suite writes it.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    id: String,
    status: String,
    error_message: Option<String>,
}

/// What the suite found, by scenario.
pub(crate) struct Results(BTreeMap<String, Vec<Check>>);

/// Runs the suite against a URL. Its output and results go into the folder.
pub(crate) fn run(
    node: &Path,
    revision: Revision,
    url: &str,
    folder: &Path,
) -> Result<Results, Failure> {
    let results = folder.join("results");
    let output = File::create(folder.join("suite.txt"))?;
    // Its exit status tells of failed checks only, which the results say better.
    Command::new(node.join("node_modules/.bin/node"))
        .arg(node.join(SUITE))
        .args(["server", "--url", url])
        .args(revision.arguments())
        .arg("-o")
        .arg(&results)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .map_err(|error| format!("the suite does not start ({error}); run tests/node/setup"))?;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&results)? {
        let entry = entry?;
        let checks = fs::read(entry.path().join("checks.json"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let scenario = scenario(&name).ok_or("the suite names its results otherwise")?;
        found.insert(scenario.to_owned(), serde_json::from_slice(&checks)?);
    }
    Ok(Results(found))
}

/// The scenario in the name of its folder: `server-SCENARIO-2026-11-22T18-54-42-535Z`.
fn scenario(folder: &str) -> Option<&str> {
    let named = folder.strip_prefix("server-")?;
    named.get(..named.len().checked_sub("-2026-11-22T18-54-42-535Z".len())?)
}

impl Results {
    /// What was judged. `INFO` tells what went over the wire, which differs from run to run.
    fn checks(&self) -> impl Iterator<Item = (&str, &Check)> {
        let by_scenario = self.0.iter();
        by_scenario
            .flat_map(|(name, checks)| checks.iter().map(|check| (name.as_str(), check)))
            .filter(|(_, check)| check.status != "INFO")
    }

    fn count(&self, status: &str) -> usize {
        self.checks()
            .filter(|(_, check)| check.status == status)
            .count()
    }

    pub(crate) fn passed(&self) -> usize {
        self.count("SUCCESS")
    }

    pub(crate) fn failed(&self) -> usize {
        self.count("FAILURE")
    }

    /// Warnings, and what was skipped.
    pub(crate) fn others(&self) -> usize {
        self.checks().count() - self.passed() - self.failed()
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        let failed = self.checks().filter(|(_, check)| check.status == "FAILURE");
        failed.map(|(scenario, check)| {
            let message = check.error_message.as_deref().unwrap_or_default();
            format!("{scenario}: {}: {message}", check.id)
        })
    }

    /// Each check's state. Some ids come several times in a scenario, so that they are numbered.
    pub(crate) fn states(&self) -> BTreeSet<String> {
        let mut seen = BTreeMap::new();
        self.checks()
            .map(|(scenario, check)| {
                let number = seen.entry((scenario, &check.id)).or_insert(0_u32);
                *number += 1;
                format!("{scenario}: {} ({number}): {}", check.id, check.status)
            })
            .collect()
    }
}

/// Results of one scenario.
#[cfg(test)]
pub(crate) fn results(checks: serde_json::Value) -> Results {
    let checks = serde_json::from_value(checks).unwrap();
    Results(BTreeMap::from([("a-scenario".to_owned(), checks)]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_scenario_is_known_by_its_folder() {
        let name = "server-tools-list-2026-11-22T18-54-42-535Z";
        assert_eq!(super::scenario(name), Some("tools-list"));
        assert_eq!(super::scenario("server-"), None);
    }
}
