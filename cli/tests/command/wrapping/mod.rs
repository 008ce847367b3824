//! `sernixa mcp wrap` and `unwrap`: hosts' configurations on disk.

mod files;
mod proxy;
mod refused;
mod there_and_back;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, run, sernixa};

/// A home and a project, with nothing in them.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("home")).unwrap();
        fs::create_dir_all(folder.path().join("project")).unwrap();
        Self { folder }
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    fn project(&self, name: &str) -> PathBuf {
        self.folder.path().join("project").join(name)
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The command, in the project, on a file of approvals.
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = sernixa(arguments);
        command
            .args(["--store", "agents.db"])
            .current_dir(self.folder.path().join("project"))
            .env("HOME", self.folder.path().join("home"))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("CLAUDE_CONFIG_DIR");
        run(&mut command)
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    }

    #[track_caller]
    fn bad(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.stderr
    }

    fn store(&self) -> String {
        self.project("agents.db").display().to_string()
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_sernixa")
}

#[track_caller]
fn value(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// All names in the folder of a file, but its own.
fn beside(path: &Path) -> Vec<String> {
    let own = path.file_name().unwrap();
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let names = files.map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names
        .filter(|name| name != own)
        .map(|name| name.into_string().unwrap())
        .collect();
    names.sort();
    names
}
