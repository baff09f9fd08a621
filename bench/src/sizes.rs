//! The sizes of the functions' release binaries, as `cargo xtask sizes` builds them.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use crate::report::{Report, Target};
use crate::shop::release_folder;

/// Unzipped, in bytes: of those that search, which are the largest (xtask/src/sizes.rs has the others).
const LIMIT: u64 = 13_000_000;

/// Adds the largest function's size, where the functions have been built.
pub(crate) fn measure(root: &Path, report: &mut Report) -> Result<()> {
    let folder = release_folder(root);
    let mut largest = None;
    for function in services::functions() {
        let path = folder.join(function.name());
        match fs::metadata(&path) {
            Ok(file) => largest = largest.max(Some(file.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        }
    }
    if let Some(bytes) = largest {
        report.add("largest function, release", "B", bytes, Target::NoMoreThan(LIMIT));
    }
    Ok(())
}
