//! Files as they should be, beside those that are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::block;

/// What a checkout should hold.
#[derive(Debug)]
pub struct Output {
    root: PathBuf,
    /// By path below the root; none where there should be no such file.
    files: BTreeMap<String, Option<String>>,
}

/// A file that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing,
    /// It holds something else.
    Other,
    /// It should not be there.
    Left,
}

impl Output {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: BTreeMap::new() }
    }

    /// The root of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What a file should hold, as far as that is said by now, or else what it holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn text(&self, path: &str) -> Result<String> {
        if let Some(Some(text)) = self.files.get(path) {
            return Ok(text.clone());
        }
        fs::read_to_string(self.root.join(path)).with_context(|| format!("{path} cannot be read"))
    }

    pub(crate) fn put(&mut self, path: impl Into<String>, text: String) {
        self.files.insert(path.into(), Some(text));
    }

    pub(crate) fn remove(&mut self, path: String) {
        self.files.insert(path, None);
    }

    /// Writes the block of a name into a file.
    ///
    /// # Errors
    /// The file cannot be read, or has no such block.
    pub(crate) fn put_block(&mut self, path: &str, name: &str, body: &str) -> Result<()> {
        let text = block::replace(&self.text(path)?, name, body).with_context(|| path.to_owned())?;
        self.put(path, text);
        Ok(())
    }

    /// The files that are not as they should be.
    ///
    /// # Errors
    /// One is there and cannot be read.
    pub fn differences(&self) -> Result<Vec<(&str, Difference)>> {
        let mut found = Vec::new();
        for (path, expected) in &self.files {
            let full = self.root.join(path);
            let there = full.is_file().then(|| fs::read_to_string(&full)).transpose();
            let there = there.with_context(|| format!("{path} cannot be read"))?;
            let difference = match (&there, expected) {
                (None, Some(_)) => Difference::Missing,
                (Some(_), None) => Difference::Left,
                (Some(there), Some(expected)) if there != expected => Difference::Other,
                _ => continue,
            };
            found.push((path.as_str(), difference));
        }
        Ok(found)
    }

    /// Writes what differs, and says which files those were.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn write(&self) -> Result<Vec<&str>> {
        let mut written = Vec::new();
        for (path, _) in self.differences()? {
            let full = self.root.join(path);
            match &self.files[path] {
                Some(text) => {
                    if let Some(folder) = full.parent() {
                        fs::create_dir_all(folder)?;
                    }
                    fs::write(&full, text)
                }
                None => fs::remove_file(&full),
            }
            .with_context(|| format!("{path} cannot be written"))?;
            written.push(path);
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_written_and_then_nothing_differs() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("other"), "old").unwrap();
        fs::write(folder.path().join("left"), "old").unwrap();
        fs::write(folder.path().join("same"), "same").unwrap();
        let mut output = Output::new(folder.path());
        output.put("other", "new".to_owned());
        output.put("same", "same".to_owned());
        output.put("below/missing", "new".to_owned());
        output.remove("left".to_owned());
        let expected = [
            ("below/missing", Difference::Missing),
            ("left", Difference::Left),
            ("other", Difference::Other),
        ];
        assert_eq!(output.differences().unwrap(), expected);
        assert_eq!(output.write().unwrap(), ["below/missing", "left", "other"]);
        assert_eq!(output.differences().unwrap(), []);
    }
}
