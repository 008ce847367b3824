//! The file on disk: read, kept as a backup, and replaced whole.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::Failure;

/// The most bytes of a configuration.
const LARGEST: u64 = 64 * 1024 * 1024;
/// What the name of a backup ends with; a number follows where there is one already.
const BACKUP: &str = ".sernixa-backup";

/// A configuration as it was found.
#[derive(Debug)]
pub(super) struct Found {
    /// As it was named.
    pub(super) path: PathBuf,
    /// The file itself, links followed.
    real: PathBuf,
    pub(super) text: String,
    metadata: Metadata,
}

impl Found {
    /// Reads a file; `None` if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let fault = |error: io::Error| told(path, "cannot be read").caused_by(error);
        let real = match fs::canonicalize(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            real => real.map_err(fault)?,
        };
        let metadata = fs::metadata(&real).map_err(fault)?;
        if !metadata.is_file() {
            return Err(told(path, "is no file"));
        }
        if metadata.len() > LARGEST {
            return Err(told(path, "is larger than any configuration"));
        }
        let bytes = fs::read(&real).map_err(fault)?;
        let text = String::from_utf8(bytes).map_err(|_| told(path, "is not UTF-8"))?;
        Ok(Some(Self {
            path: path.to_owned(),
            real,
            text,
            metadata,
        }))
    }

    /// Replaces the text in one step, and keeps what it was in a backup beside it, whose path is
    /// returned. Both have the permissions that the file had.
    pub(super) fn replace(&self, text: &str) -> Result<PathBuf, Failure> {
        if self.metadata.permissions().readonly() {
            return Err(told(&self.path, "is read-only; nothing was changed"));
        }
        let fault = |error: io::Error| {
            told(&self.path, "cannot be replaced; it is as it was").caused_by(error)
        };
        let beside = self.beside(&format!(".sernixa-{}", std::process::id()));
        let written = self.write_new(&beside, text);
        let done = written.and_then(|()| {
            // Hosts write their files, too.
            if fs::read(&self.real)? != self.text.as_bytes() {
                let why = "it was changed meanwhile; close the host, and do it again";
                return Err(io::Error::other(why));
            }
            let backup = self.back_up()?;
            fs::rename(&beside, &self.real)?;
            Ok(backup)
        });
        if done.is_err() {
            // Nothing to remove if it could not even be made.
            let _ = fs::remove_file(&beside);
        }
        // What was renamed is on disk once the folder is; some file systems cannot say so.
        if let Some(folder) = self
            .real
            .parent()
            .and_then(|folder| File::open(folder).ok())
        {
            let _ = folder.sync_all();
        }
        done.map_err(fault)
    }

    /// Writes the present text under the first name that is free.
    fn back_up(&self) -> io::Result<PathBuf> {
        for count in 1..10_000 {
            let number = if count == 1 {
                String::new()
            } else {
                format!("-{count}")
            };
            let backup = self.beside(&format!("{BACKUP}{number}"));
            match self.write_new(&backup, &self.text) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(backup),
            }
        }
        Err(io::Error::other("there are too many backups beside it"))
    }

    /// A file that was not there, whole on disk, with the permissions and the owner of the
    /// configuration: never readable to anybody else, not even for a moment.
    fn write_new(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| self.give(&file))
            .and_then(|()| file.set_permissions(self.metadata.permissions()))
            .and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(path);
        }
        written
    }

    /// To the configuration's owner, where another (an administrator) writes it.
    #[cfg(unix)]
    fn give(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt as _, fchown};

        let (ours, theirs) = (file.metadata()?, &self.metadata);
        if (ours.uid(), ours.gid()) == (theirs.uid(), theirs.gid()) {
            return Ok(());
        }
        fchown(file, Some(theirs.uid()), Some(theirs.gid()))
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        reason = "on other systems there is an owner to give it to"
    )]
    fn give(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(self.real.file_name().unwrap_or_default());
        name.push(end);
        self.real.with_file_name(name)
    }
}

/// A failure about a file.
pub(super) fn told(path: &Path, fault: &str) -> Failure {
    Failure::new(format!("{} {fault}", path.display()))
}
