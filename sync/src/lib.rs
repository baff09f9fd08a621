//! What follows from the registry of services and from template.yaml, written: binaries, routes of `cargo lambda
//! watch`, tables of the documents, the API's document and the events', the
//! dashboard (docs/decisions/0035).
//!
//! Nothing here decides anything: whoever wants another output changes what it follows from. A test holds that the
//! checkout has exactly these files, so what is written is always what the code says.

mod api;
mod asyncapi;
mod block;
mod builds;
mod dashboard;
mod documents;
mod functions;
mod manifests;
mod modules;
mod output;

use std::path::Path;

use anyhow::{Context as _, Result};
use template_truth::template::Template;

pub use output::{Difference, Output};

/// Everything that follows from the registry and from the template of a checkout.
///
/// # Errors
/// A file cannot be read, or has no place for what is written into it.
pub fn output(root: &Path) -> Result<Output> {
    let mut output = Output::new(root);
    let template = output.text("template.yaml")?;
    let template = Template::parse(&template).context("template.yaml")?;
    functions::write(&mut output, &template)?;
    manifests::write(&mut output)?;
    builds::write(&mut output)?;
    documents::write(&mut output, &template)?;
    dashboard::write(&mut output, &template)?;
    api::write(&mut output)?;
    asyncapi::write(&mut output, &template)?;
    Ok(output)
}
