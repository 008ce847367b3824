//! Keys beside the store: 32 random bytes in a file of its owner's alone.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sernixa_engine::{Entropy, SecretKey, StoreError};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::open::sync_folder;

/// Where a key of the store at `store` lies.
pub(crate) fn path(store: &Path, name: &str) -> PathBuf {
    let mut path = OsString::from(store);
    path.push(".");
    path.push(name);
    path.into()
}

/// The key in a file; `None` where there is no file.
///
/// # Errors
/// A file that others may read or write, or that holds anything but 32 bytes: neither is used, and
/// neither is replaced.
pub(crate) fn read(path: &Path) -> Result<Option<SecretKey>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    must_be_private(&file)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let mut more = [0];
    file.read_exact(&mut *bytes)
        .and_then(|()| file.read(&mut more))
        .map_or(Err(NOT_A_KEY), |more| {
            if more == 0 {
                Ok(Some(SecretKey::new(*bytes)))
            } else {
                Err(NOT_A_KEY)
            }
        })
        .map_err(StoreError::new)
}

const NOT_A_KEY: &str = "a key file of the store does not hold 32 bytes; restore it from a backup, \
    or remove it and have a new key made: what depends on the old one then ends";

/// Makes a key. Whoever calls it holds the store's lock, and found no key under that lock.
///
/// The file appears whole or not at all: a crash leaves a `.new` at most, which the next attempt
/// replaces.
pub(crate) fn make(path: &Path, entropy: &mut Entropy) -> Result<SecretKey> {
    let key = SecretKey::new(entropy.draw_secret());
    let mut new = OsString::from(path);
    new.push(".new");
    let new = PathBuf::from(new);
    write(&new, key.expose())
        .and_then(|()| fs::rename(&new, path))
        .map_err(unusable)?;
    sync_folder(path)?;
    Ok(key)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unusable(error: io::Error) -> StoreError {
    StoreError::new(
        "a key file of the store cannot be used; see the permissions of the folder it lies in",
    )
    .caused_by(error)
}

#[cfg(unix)]
fn must_be_private(file: &File) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata().map_err(unusable)?.permissions().mode();
    let of_others = mode & 0o077;
    if of_others == 0 {
        Ok(())
    } else {
        Err(StoreError::new(
            "a key file of the store may be used by others; see who had it, and `chmod 600` it",
        ))
    }
}

#[cfg(not(unix))]
fn must_be_private(_: &File) -> Result<()> {
    // Other systems inherit the folder's rules.
    Ok(())
}
