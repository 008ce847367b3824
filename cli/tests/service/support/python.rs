//! The virtual environments with the real Python clients, made once by `tests/python/setup`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::flag;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of an environment; `None`, said loudly, where Python or the network is missing and
/// nothing requires them.
pub fn environment(name: &str) -> Option<PathBuf> {
    static MADE: OnceLock<Result<(), String>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let setup = root().join("tests/python/setup");
        match Command::new(setup).stdin(Stdio::null()).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    });
    let folder = root().join("target/python").join(name);
    // One that was made earlier serves, also when another cannot be made now.
    if made.is_ok() || folder.with_file_name(format!("{name}.made")).exists() {
        return Some(folder);
    }
    let why = made.as_ref().err().map_or("", String::as_str);
    assert!(
        !flag("SERNIXA_REQUIRE_PYTHON"),
        "the Python environment {name} cannot be made:\n{why}"
    );
    eprintln!("NOT TESTED: the Python environment {name} cannot be made:\n{why}");
    None
}

/// A program of an environment, without our variables and with a home of its own.
pub fn program(environment: &Path, program: &str, home: &Path) -> Command {
    let mut command = Command::new(environment.join("bin").join(program));
    for (name, _) in std::env::vars() {
        if name.starts_with("SERNIXA_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("XDG_CONFIG_HOME", home);
    command.env("NO_COLOR", "1").env("COLUMNS", "200");
    command
}

/// Runs a script of `tests/python` with this standard input; its standard output, whole.
pub fn script(environment: &Path, name: &str, home: &Path, input: &str) -> String {
    let mut child = program(environment, "python", home)
        .arg(root().join("tests/python").join(name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{name} ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}
