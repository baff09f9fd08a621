//! What is deployed: names of tables, queues and the secret, and the functions' variables.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Emulator, STACK};
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Environment variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// A deployed stack.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stack {
    /// The template's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The id of the HTTP API, the first label of its host name; none in an emulator that has no HTTP APIs.
    api_id: Option<String>,
    /// The environment variables of each function, by its logical id.
    pub(crate) variables: BTreeMap<String, Variables>,
}

impl Stack {
    /// Asks the emulator.
    ///
    /// # Errors
    /// When it gives no description.
    pub(crate) fn describe(project: &Project, emulator: &Emulator) -> Result<Self> {
        let description = printed(project, emulator, "localstack/describe_stack.py")?;
        serde_json::from_str(&description).context("the description of the stack")
    }

    /// The id of the HTTP API.
    ///
    /// # Errors
    /// When the emulator has none.
    pub(crate) fn api_id(&self) -> Result<&str> {
        self.api_id
            .as_deref()
            .context("the emulator has made no HTTP API: it serves functions and events only")
    }

    /// One of the template's outputs.
    ///
    /// # Errors
    /// When the template has none of that name.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        Ok(self.outputs.get(name).with_context(|| format!("the stack has no output {name}"))?)
    }

    /// The secret that access tokens are made from: this stack is thrown away.
    ///
    /// # Errors
    /// When the emulator does not give it.
    pub(crate) fn token_secret(project: &Project, emulator: &Emulator) -> Result<String> {
        printed(project, emulator, "localstack/token_secret.py")
    }

    /// An administrator for tests: the user's id and the account's session epoch.
    ///
    /// # Errors
    /// When none can be made.
    pub(crate) fn administrator(project: &Project, emulator: &Emulator) -> Result<String> {
        printed(project, emulator, "localstack/administrator.py")
    }

    /// An access token of an administrator, for five minutes.
    ///
    /// # Errors
    /// When the emulator does not give the secret.
    pub(crate) fn access_token(project: &Project, emulator: &Emulator) -> Result<String> {
        printed(project, emulator, "localstack/access_token.py")
    }

    /// The variables of all functions. A name means the same in each of them (tests/template holds that).
    pub(crate) fn all_variables(&self) -> Variables {
        self.variables.values().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// What a script prints about the stack.
fn printed(project: &Project, emulator: &Emulator, script: &str) -> Result<String> {
    let mut command = Environment::sam(project)?.command("python");
    emulator.point(&mut command);
    let printed = process::output(command.current_dir(project.root()).args([script, STACK]))?;
    Ok(printed.trim().to_owned())
}
