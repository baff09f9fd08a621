//! Where the template lies, and the state of its shop.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shop_local::template::Template;

const TEMPLATE: &str = "template.yaml";
/// Beside the template, and ignored by git.
const DEFAULT_DATA: &str = ".data";

/// The files of a shop on this machine.
pub(super) struct Location {
    template: PathBuf,
    /// The folder of its state.
    pub(super) data: PathBuf,
}

impl Location {
    /// What was given; else the template of the workspace, and the folder beside it.
    pub(super) fn find(template: Option<PathBuf>, data: Option<PathBuf>) -> Result<Self> {
        let template = match template {
            Some(path) => path,
            None => find_template()?,
        };
        let data = data.unwrap_or_else(|| template.with_file_name(DEFAULT_DATA));
        Ok(Self { template, data })
    }

    /// Reads the template, with these values of its parameters.
    pub(super) fn load(&self, parameters: &BTreeMap<String, String>) -> Result<Template> {
        Template::load(&self.template, parameters)
            .with_context(|| format!("{} cannot be used", self.template.display()))
    }
}

/// The template of the workspace: beside this package under cargo, else in this folder or one above it.
fn find_template() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = env::current_dir().context("the current folder cannot be read")?;
    package
        .as_deref()
        .into_iter()
        .flat_map(Path::ancestors)
        .chain(here.ancestors())
        .map(|folder| folder.join(TEMPLATE))
        .find(|path| path.is_file())
        .context("no template.yaml in this folder or above: run inside the workspace, or use --template PATH")
}
