//! Files as they will be: all are written together, or none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub(super) struct Tree {
    root: PathBuf,
    files: BTreeMap<String, String>,
}

impl Tree {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: BTreeMap::new() }
    }

    /// A file as it will be.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        match self.files.get(path) {
            Some(text) => Ok(text.clone()),
            None => {
                fs::read_to_string(self.root.join(path)).with_context(|| format!("{path} cannot be read"))
            }
        }
    }

    /// Makes a file.
    ///
    /// # Errors
    /// There is one.
    pub(super) fn create(&mut self, path: impl Into<String>, text: String) -> Result<()> {
        let path = path.into();
        ensure!(
            !self.files.contains_key(&path) && !self.root.join(&path).exists(),
            "{path} is there already"
        );
        self.files.insert(path, text);
        Ok(())
    }

    /// Changes a file.
    ///
    /// # Errors
    /// It cannot be read, or not be changed.
    pub(super) fn edit(&mut self, path: &str, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
        let text = change(&self.text(path)?).with_context(|| path.to_owned())?;
        self.files.insert(path.to_owned(), text);
        Ok(())
    }

    /// Writes everything, and says what.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self) -> Result<Vec<&str>> {
        for (path, text) in &self.files {
            let full = self.root.join(path);
            if let Some(folder) = full.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&full, text).with_context(|| format!("{path} cannot be written"))?;
        }
        Ok(self.files.keys().map(String::as_str).collect())
    }
}
