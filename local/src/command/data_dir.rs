//! The folder that keeps the state, held by one process at a time, and closed to other users of the machine: what
//! is in it signs tokens.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const LOCK_FILE: &str = "lock";
/// The files of the state.
const DATABASES: [&str; 2] = ["dynamodb.sqlite", "queues.sqlite"];
/// Files that may be there, or come: a folder of an older shop has none of them.
const LATER: [&str; 1] = ["objects.sqlite"];
/// What the lock file holds once a shop has started with the folder. From then on the databases have content.
const IN_USE: &str = "A shop keeps its state here.\n";

/// A data folder that no other process has, for as long as this value lives. The system lets go of the
/// lock when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    lock: File,
    /// What else can be done, by whoever opened it.
    instead: String,
}

impl DataDir {
    /// Makes the folder where there is none, and takes it. `instead` says what else can be done where another shop
    /// has it, or its state cannot be used.
    pub(super) fn open(path: &Path, instead: &str) -> Result<Self> {
        let shown = path.display();
        make(path).with_context(|| format!("the data folder {shown} cannot be made"))?;
        let path = path.canonicalize().with_context(|| format!("the data folder {shown} cannot be read"))?;
        let lock = private()
            .open(path.join(LOCK_FILE))
            .with_context(|| format!("the data folder {shown} cannot be written"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another shop is running with the data folder {shown}: stop it, or use {instead}")
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("the data folder {shown} cannot be locked"));
            }
        }
        close(&path).with_context(|| format!("the data folder {shown} cannot be closed to others"))?;
        let data = Self { path, lock, instead: instead.to_owned() };
        data.check()?;
        Ok(data)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes that the databases have been made.
    pub(super) fn started(&mut self) -> Result<()> {
        if self.lock.metadata()?.len() == 0 {
            self.lock.write_all(IN_USE.as_bytes()).context("the data folder cannot be written")?;
        }
        Ok(())
    }

    /// What to do where the state cannot be used.
    pub(super) fn remedy(&self) -> String {
        let folder = self.path.display();
        format!(
            "the state in {folder} cannot be used as it is; rm -r {folder} starts afresh, {} leaves it alone",
            self.instead
        )
    }

    /// A database that was there once must still have content: a shop over an empty one has lost everything, and
    /// must not go on as if it had never been.
    fn check(&self) -> Result<()> {
        if self.lock.metadata()?.len() == 0 {
            return Ok(());
        }
        for name in DATABASES {
            let length = match fs::metadata(self.path.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => 0,
                other => other.with_context(|| format!("{name} cannot be read"))?.len(),
            };
            if length == 0 {
                bail!("{}: {name} is empty, or gone", self.remedy());
            }
        }
        Ok(())
    }
}

fn private() -> OpenOptions {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the folder, closed to others; those above it are as any.
fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        outcome => outcome,
    }
}

/// Closes the databases to others, those of an older shop too. A file beside a database gets its permissions from
/// `SQLite`. The folder is closed where it is the shop's alone.
#[cfg(unix)]
fn close(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for name in DATABASES.iter().chain(&LATER) {
        private().open(path.join(name))?;
    }
    let mut is_the_shop_s = true;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == LOCK_FILE || DATABASES.iter().chain(&LATER).any(|database| name.starts_with(database)) {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
        } else {
            is_the_shop_s = false;
        }
    }
    if is_the_shop_s { fs::set_permissions(path, fs::Permissions::from_mode(0o700)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let held = DataDir::open(&folder, "--memory").unwrap();
        let error = DataDir::open(&folder, "--memory").unwrap_err();
        assert!(error.to_string().starts_with("another shop is running"), "{error}");
        drop(held);
        DataDir::open(&folder, "--memory").unwrap();
    }

    #[test]
    fn an_emptied_database_is_not_started_with() {
        let parent = tempfile::tempdir().unwrap();
        let mut data = DataDir::open(parent.path(), "--data DIR").unwrap();
        data.started().unwrap();
        drop(data);
        for name in DATABASES {
            fs::write(parent.path().join(name), "content").unwrap();
        }
        DataDir::open(parent.path(), "").unwrap();
        fs::write(parent.path().join(DATABASES[0]), "").unwrap();
        let error = DataDir::open(parent.path(), "--data DIR").unwrap_err().to_string();
        assert!(error.contains("dynamodb.sqlite is empty") && error.contains("rm -r"), "{error}");
        // No more is offered than whoever asks can do: `admin` has no --memory.
        assert!(error.contains("--data DIR leaves it alone") && !error.contains("--memory"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn other_users_see_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("queues.sqlite"), "old").unwrap();
        fs::write(folder.join("queues.sqlite-wal"), "old").unwrap();
        DataDir::open(&folder, "").unwrap();
        assert_eq!(mode(&folder), 0o700);
        for name in ["lock", "dynamodb.sqlite", "queues.sqlite", "queues.sqlite-wal"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        // A folder that holds other things is somebody else's as well.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("other"), "").unwrap();
        DataDir::open(&folder, "").unwrap();
        assert_eq!(mode(&folder), 0o755);
    }
}
