//! The key that signs the audit: a file beside the store, made at the first start.

use std::io::ErrorKind;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use sernixa_engine::audit::AuditKey;
use zeroize::Zeroizing;

use super::fault::ConfigError;
use super::private_file;

/// Whether the key was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was.
    Found,
    /// It was made just now.
    Made,
}

/// The key of the file at `path`; made, for its owner alone to read, if there is none.
pub(crate) fn open(path: &Path) -> Result<(AuditKey, Origin), ConfigError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        _ => Ok((parse(path, &private_file::read(path)?)?, Origin::Found)),
    }
}

fn make(path: &Path) -> Result<(AuditKey, Origin), ConfigError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| {
        ConfigError::new(path, format_args!("no random numbers for a key: {error}"))
    })?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in *seed {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    match private_file::create(path, &text) {
        Ok(()) => Ok((AuditKey::from_seed(*seed), Origin::Made)),
        // Another process that starts on the same store was quicker: its key counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok((parse(path, &private_file::read(path)?)?, Origin::Found))
        }
        Err(error) => Err(ConfigError::new(
            path,
            format_args!("the audit key cannot be written: {error}"),
        )),
    }
}

/// 64 hex digits.
fn parse(path: &Path, text: &SecretString) -> Result<AuditKey, ConfigError> {
    let fault = || {
        ConfigError::new(
            path,
            "is no audit key: expected 64 lower-case hex digits; restore it from a backup, or move it \
             away and a new one is made",
        )
    };
    let digest = sernixa_engine::Digest::parse(text.expose_secret().trim()).ok_or_else(fault)?;
    Ok(AuditKey::from_seed(digest.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let (made, origin) = open(&path).unwrap();
        assert_eq!(origin, Origin::Made);
        let permissions = std::fs::metadata(&path).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        let (found, origin) = open(&path).unwrap();
        assert_eq!(origin, Origin::Found);
        assert_eq!(made.public(), found.public());
    }

    #[test]
    fn what_is_no_key_is_neither_taken_nor_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        private_file::create(&path, "not a key").unwrap();
        let fault = open(&path).unwrap_err().to_string();
        assert!(fault.contains("64 lower-case hex digits"), "{fault}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
    }
}
