//! The folder that keeps the state, held by one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const LOCK_FILE: &str = "lock";

/// A data folder that no other process has, for as long as this value lives. The system lets go of the
/// lock when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder where there is none, and takes it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        fs::create_dir_all(path).with_context(|| format!("the data folder {shown} cannot be made"))?;
        let path = path.canonicalize().with_context(|| format!("the data folder {shown} cannot be read"))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .with_context(|| format!("the data folder {shown} cannot be written"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another shop is running with the data folder {shown}: stop it, or use --data DIR or --memory"
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("the data folder {shown} cannot be locked"))
            }
        }
    }

    /// The folder's full path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let held = DataDir::open(&folder).unwrap();
        let error = DataDir::open(&folder).unwrap_err();
        assert!(error.to_string().starts_with("another shop is running"), "{error}");
        drop(held);
        DataDir::open(&folder).unwrap();
    }
}
