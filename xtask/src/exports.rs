//! `cargo xtask exports`: a deployed stack's names as lines for a shell: `eval "$(cargo xtask exports)"`.

use std::env;

use anyhow::Result;

use crate::emulator::{self, Emulator};
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Which stack.
#[derive(Debug, clap::Args)]
pub(crate) struct Exports {
    /// The stack's name
    #[arg(long, value_name = "NAME", default_value = emulator::STACK)]
    stack: String,
    /// The emulator that it is deployed in [default: that of `AWS_ENDPOINT_URL`; for shop-local the usual port]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

/// Prints the functions' variables, the stack's outputs, the region, and how an emulator is reached.
///
/// # Errors
/// When there is no such stack.
pub(crate) fn exports(project: &Project, exports: &Exports) -> Result<()> {
    let mut command = Environment::sam(project)?.command("python");
    let of_emulator = exports.stack == emulator::STACK;
    match &exports.endpoint {
        Some(endpoint) => emulator::point_at(endpoint, &mut command),
        None if of_emulator && env::var_os("AWS_ENDPOINT_URL").is_none() => {
            Emulator::new(project, emulator::PORT).point(&mut command);
        }
        None => {}
    }
    command.current_dir(project.root()).args(["localstack/describe_stack.py", "--exports", &exports.stack]);
    process::run(&mut command)
}
