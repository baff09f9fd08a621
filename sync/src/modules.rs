//! Where in a service's crate each module lies: at its top, or in the folder of a subject.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use shop_http::Service;

/// The paths of a crate's modules, by the name of their file.
pub(crate) type Modules = BTreeMap<String, Vec<String>>;

pub(crate) fn of(root: &Path, service: &Service) -> Result<Modules> {
    let mut found = Modules::new();
    let mut folders = vec![(root.join("functions").join(service.name).join("src"), Vec::new())];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?.path();
            let name = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let below: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            if entry.is_dir() && name != "bin" {
                folders.push((entry, below));
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                found.insert(name, below);
            }
        }
    }
    Ok(found)
}

/// The path of a function's module.
///
/// # Errors
/// There is none.
pub(crate) fn find<'a>(modules: &'a Modules, function: &str) -> Result<&'a [String]> {
    let file = function.replace('-', "_");
    let path = modules.get(&file).with_context(|| format!("{function} has no module {file}"))?;
    Ok(path)
}
