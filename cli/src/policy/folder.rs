//! The policies of a folder, loaded or with everything that is wrong with them.

use std::path::Path;

use sernixa_engine::cedar::{Fault, PolicySet};
use sernixa_server::policies;

use crate::output::{self, one_line};
use crate::{Exit, Failure, Global};

/// A folder as a service would take it.
pub(super) enum Folder {
    Loaded(Box<PolicySet>),
    Broken(Vec<Fault>),
}

impl Folder {
    /// Reads and loads the folder.
    pub(super) fn load(dir: &Path, zone: &str) -> Result<Self, Failure> {
        let sources = policies::read(dir)
            .map_err(|error| Failure::new("the policies cannot be read").caused_by(error))?;
        Ok(match PolicySet::load(&sources.zone(zone)) {
            Ok(set) => Self::Loaded(Box::new(set)),
            Err(error) => Self::Broken(error.faults().to_vec()),
        })
    }

    /// The set; or its faults told, and the exit code for that.
    pub(super) fn set(self, global: &Global) -> Result<Result<Box<PolicySet>, Exit>, Failure> {
        match self {
            Self::Loaded(set) => Ok(Ok(set)),
            Self::Broken(faults) => tell(&faults, global).map(Err),
        }
    }
}

/// Tells every fault: a line for each, or as JSON.
pub(super) fn tell(faults: &[Fault], global: &Global) -> Result<Exit, Failure> {
    if global.json {
        let faults: Vec<_> = faults
            .iter()
            .map(|fault| {
                serde_json::json!({
                    "file": fault.file, "line": fault.line, "column": fault.column,
                    "policy": fault.policy, "what": fault.what, "fix": fault.fix,
                })
            })
            .collect();
        output::json(&serde_json::json!({"status": "broken", "faults": faults}))?;
        return Ok(Exit::No);
    }
    for fault in faults {
        output::line(one_line(&fault.to_string()))?;
    }
    let count = faults.len();
    let plural = if count == 1 { "" } else { "s" };
    output::line(format_args!(
        "{count} fault{plural}: a service would not load this"
    ))?;
    Ok(Exit::No)
}
