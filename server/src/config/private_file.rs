//! Files with secrets: read only when nobody else can, made so that nobody else can.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use secrecy::SecretString;

use super::fault::ConfigError;

/// The most bytes that such a file holds.
const MAX: u64 = 1 << 20;
/// The bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// The text of a file that only its owner may read.
pub(crate) fn read(path: &Path) -> Result<SecretString, ConfigError> {
    let fault = |error| ConfigError::new(path, format_args!("cannot be read: {error}"));
    let file = File::open(path).map_err(fault)?;
    // Of the file that is open, not of one that took its place.
    check(path, &file)?;
    let mut text = String::new();
    file.take(MAX + 1)
        .read_to_string(&mut text)
        .map_err(fault)?;
    let text = SecretString::from(text);
    if secrecy::ExposeSecret::expose_secret(&text).len() as u64 > MAX {
        return Err(ConfigError::new(path, "is larger than 1 MiB"));
    }
    Ok(text)
}

/// Refuses a file that others may read or write.
pub(crate) fn check(path: &Path, file: &File) -> Result<(), ConfigError> {
    let meta = file
        .metadata()
        .map_err(|error| ConfigError::new(path, format_args!("cannot be read: {error}")))?;
    if !meta.is_file() {
        return Err(ConfigError::new(path, "is no file"));
    }
    let mode = meta.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let fault = format!(
        "has mode {mode:04o}, so others can reach its secrets; run: chmod 600 {}",
        sernixa_protocol::display::one_line(&path.to_string_lossy())
    );
    Err(ConfigError::new(path, fault))
}

/// Makes a file that only its owner may read; an error if there is one.
pub(crate) fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // The name is on disk only when its folder is.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_file_that_others_can_reach_is_refused_and_the_way_out_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, "hunter2").unwrap();
        assert_eq!(read(&path).unwrap().expose_secret(), "hunter2");
        assert!(create(&path, "other").is_err(), "what is there stays");
        for mode in [0o640, 0o604, 0o620, 0o644, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let fault = read(&path).unwrap_err().to_string();
            assert!(fault.contains("chmod 600"), "{fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).is_ok());
        assert!(read(folder.path()).is_err());
        assert!(read(&folder.path().join("none")).is_err());
    }
}
