//! Writing a file for its owner alone (0600), whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::Failure;

/// Whether a file that is there already may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Keep,
    Replace,
}

/// Writes `text` into the file at `path`. It is written beside it first, so that nobody finds half
/// of it. What is there is kept, also when it is a link, unless it may be replaced.
pub(super) fn write(path: &Path, text: &str, existing: Existing) -> Result<(), Failure> {
    let shown = path.display();
    let fault =
        |error: std::io::Error| Failure::new(format!("{shown} cannot be written")).caused_by(error);
    if existing == Existing::Keep && fs::symlink_metadata(path).is_ok() {
        return Err(is_there(path));
    }
    let name = path
        .file_name()
        .ok_or_else(|| Failure::new(format!("{shown} names no file; give one with --output")))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(fault)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| match existing {
            Existing::Replace => fs::rename(&beside, path),
            // Unlike a rename, a link fails where something has come to be meanwhile.
            Existing::Keep => fs::hard_link(&beside, path),
        });
    // After a rename there is nothing left to remove.
    let _ = fs::remove_file(&beside);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(is_there(path)),
        other => other.map_err(fault),
    }
}

fn is_there(path: &Path) -> Failure {
    Failure::new(format!(
        "{} is there already; name another file, or replace it with --force",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_written_for_its_owner_alone_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.json");
        write(&path, "{}", Existing::Keep).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_is_kept_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link, other) = (
            folder.path().join("e.json"),
            folder.path().join("link"),
            folder.path().join("other"),
        );
        fs::write(&path, "old").unwrap();
        symlink(&other, &link).unwrap();
        for path in [&path, &link] {
            let fault = write(path, "new", Existing::Keep).unwrap_err().chain();
            assert!(fault.contains("--force"), "{fault}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write(&path, "new", Existing::Replace).unwrap();
        // The link is replaced, not followed.
        write(&link, "new", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(!other.exists());
        assert!(write(Path::new("/"), "x", Existing::Replace).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
