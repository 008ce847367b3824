//! `sernixa policy test`: whether policies say what their tests expect.

use std::path::Path;

use serde_json::json;

use crate::output::one_line;
use crate::policy::cases::{self, Cases};
use crate::policy::folder::Folder;
use crate::{Exit, Failure, Global, output};

pub(super) fn run(dir: &Path, tests: Option<&Path>, global: &Global) -> Result<Exit, Failure> {
    let cases = match tests {
        Some(path) => Cases::read(path)?,
        None => Cases::read(&dir.join("tests.toml"))?,
    };
    let set = match Folder::load(dir, &cases.zone)?.set(global)? {
        Ok(set) => set,
        Err(exit) => return Ok(exit),
    };
    let mut failed = 0;
    let mut told = Vec::new();
    for case in &cases.tests {
        let outcome = cases::run(&set, &cases, case);
        let passed = outcome.differences.is_empty();
        failed += usize::from(!passed);
        if global.json {
            let got = outcome.got.as_ref();
            told.push(json!({
                "name": case.name, "passed": passed, "expected": case.expect.status().as_str(),
                "got": got.map(|got| got.outcome.as_str()), "rule": got.map(|got| got.rule),
                "reason": got.map(|got| &got.reason), "policies": got.map(|got| &got.policies),
                "differences": outcome.differences,
            }));
            continue;
        }
        let mark = if passed { "ok    " } else { "FAILED" };
        output::line(format_args!("{mark}  {}", one_line(&case.name)))?;
        for difference in &outcome.differences {
            output::line(format_args!("        {}", one_line(difference)))?;
        }
        if let Some(got) = outcome.got.filter(|_| !passed) {
            output::line(format_args!(
                "        {}: {} ({})",
                got.rule,
                one_line(&got.reason),
                one_line(&cases::list(&got.policies))
            ))?;
        }
    }
    let passed = cases.tests.len() - failed;
    if global.json {
        output::json(&json!({"passed": passed, "failed": failed, "tests": told}))?;
    } else {
        output::line(format_args!("{passed} passed, {failed} failed"))?;
    }
    Ok(if failed == 0 { Exit::Yes } else { Exit::No })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn examples() -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/policies");
        let mut found: Vec<_> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn every_example_says_what_its_tests_expect() {
        let examples = examples();
        assert_eq!(examples.len(), 6);
        for dir in examples {
            let cases = Cases::read(&dir.join("tests.toml")).unwrap();
            let set = match Folder::load(&dir, &cases.zone).unwrap() {
                Folder::Loaded(set) => set,
                Folder::Broken(faults) => panic!("{}: {faults:?}", dir.display()),
            };
            assert!(cases.tests.len() >= 3);
            for case in &cases.tests {
                let outcome = cases::run(&set, &cases, case);
                assert!(
                    outcome.differences.is_empty(),
                    "{}: {}: {:?} {:?}",
                    dir.display(),
                    case.name,
                    outcome.differences,
                    outcome.got
                );
            }
        }
    }

    #[test]
    fn the_example_of_the_default_is_the_default() {
        let text = include_str!("../../../examples/policies/default/default.cedar");
        assert_eq!(text, sernixa_engine::cedar::PolicySet::DEFAULT);
    }
}
