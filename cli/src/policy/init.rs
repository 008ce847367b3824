//! `sernixa policy init`: a folder to begin with.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use sernixa_engine::cedar::PolicySet;

use crate::output::one_line;
use crate::{Exit, Failure, Global, output};

/// The files, in the order in which they are written.
const FILES: [(&str, &str); 3] = [
    ("default.cedar", PolicySet::DEFAULT),
    (
        "metadata.cedarschema",
        include_str!("../../../examples/policies/default/metadata.cedarschema"),
    ),
    (
        "tests.toml",
        include_str!("../../../examples/policies/default/tests.toml"),
    ),
];

pub(super) fn run(dir: &Path, global: &Global) -> Result<Exit, Failure> {
    fs::create_dir_all(dir).map_err(|error| {
        Failure::new(format!("the folder {} cannot be made", dir.display())).caused_by(error)
    })?;
    // All or nothing: a folder that holds one of them already is somebody's.
    for (name, _) in FILES {
        let path = dir.join(name);
        if path.symlink_metadata().is_ok() {
            let message = format!("{} is there already: name another folder", path.display());
            return Err(Failure::new(message));
        }
    }
    for (name, text) in FILES {
        write(&dir.join(name), text)?;
    }
    let names = FILES.map(|(name, _)| name);
    if global.json {
        output::json(&serde_json::json!({"status": "written", "dir": dir, "files": names}))?;
    } else {
        let shown = dir.display().to_string();
        let shown = one_line(&shown);
        output::line(format_args!("wrote {} to {shown}", names.join(", ")))?;
        output::line(format_args!("next: sernixa policy test {shown}"))?;
    }
    Ok(Exit::Yes)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    // Somebody may have made it meanwhile: never overwritten.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::new(format!("{} cannot be written", path.display())).caused_by(error)
    })
}
