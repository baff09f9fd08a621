//! `cargo xtask deploy`: one command from a checkout to a shop that answers. `cargo xtask destroy`: and back.

mod parameters;
mod prerequisites;

use std::fs;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::cargo::{build_functions, for_deployment};
use crate::deployable::{Architecture, deployable, packages};
use crate::emulator::{self, Emulator};
use crate::process;
use crate::project::Project;
use crate::python::Environment;
use parameters::Parameters;
use prerequisites::{Account, Prerequisites};

/// The environments of samconfig.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// One to try things in, which costs little
    Dev,
    /// Protected, and backed up
    Prod,
    /// An emulator that is up
    Local,
}

impl Target {
    const fn stack(self) -> &'static str {
        match self {
            Self::Dev => "shop-dev",
            Self::Prod => "shop-prod",
            Self::Local => emulator::STACK,
        }
    }

    /// What samconfig.toml calls the environments that are deployed, one after the other. Tables that are protected would
    /// keep a first deployment that fails from being taken back.
    const fn environments(self, is_deployed: bool) -> &'static [&'static str] {
        match (self, is_deployed) {
            (Self::Dev, _) => &["dev"],
            (Self::Prod, false) => &["prod-first", "prod"],
            (Self::Prod, true) => &["prod"],
            (Self::Local, _) => &["local"],
        }
    }
}

/// Where to deploy to.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    /// The environment of samconfig.toml
    #[arg(long, value_enum, default_value = "dev")]
    env: Target,
    /// Change production without asking
    #[arg(long)]
    yes: bool,
    /// Deploy the functions that lie in target/lambda
    #[arg(long)]
    no_build: bool,
    /// The emulator's port, for local
    #[arg(long, default_value_t = emulator::PORT)]
    port: u16,
}

/// What to delete.
#[derive(Debug, clap::Args)]
pub(crate) struct Destroy {
    /// The environment of samconfig.toml; never prod
    #[arg(long, value_enum, default_value = "dev")]
    env: Target,
    /// The emulator's port, for local
    #[arg(long, default_value_t = emulator::PORT)]
    port: u16,
}

/// Looks for what is needed, builds the functions for the template's processor, deploys them, and asks the shop whether it
/// answers. Run again, it changes what has changed.
///
/// # Errors
/// When something is missing, and all of that is said at once; or a step fails.
pub(crate) fn deploy(project: &Project, wanted: &Deploy) -> Result<()> {
    let stack = wanted.env.stack();
    if wanted.env == Target::Local {
        let emulator = Emulator::new(project, wanted.port);
        emulator.ensure_is_up()?;
        if !wanted.no_build {
            build_functions(project)?;
        }
        emulator::deploy_again(project, &emulator)?;
        return script(project, "smoke_test.py", stack, |command| emulator.point(command));
    }
    let read = |name: &str| fs::read_to_string(project.root().join(name));
    let (template, samconfig) = (read("template.yaml")?, read("samconfig.toml")?);
    let of = |environment| Ok((environment, Parameters::read(&template, &samconfig, environment)?));
    // All that it might come to: whether the stack is there is asked later.
    let environments = wanted.env.environments(false).iter().copied().map(of).collect::<Result<Vec<_>>>()?;
    let found = Prerequisites::find(project, stack, &environments, wanted.env == Target::Prod)?;
    println!("{stack} in {}, account {}", found.account.region, found.account.id);
    if !wanted.no_build {
        build(project, &found.lambda)?;
    }
    deployable(project, Architecture::Arm64)?;
    let mut account = found.account;
    let now = wanted.env.environments(account.is_deployed);
    for (environment, parameters) in environments.iter().filter(|(environment, _)| now.contains(environment))
    {
        let mut sam = found.sam.command("sam");
        sam.args(sam_deploy(environment, &account, wanted.yes));
        sam.arg("--parameter-overrides").args(parameters.overrides());
        process::run(sam.current_dir(project.root()))?;
        // Who says no to `sam` has not failed.
        account = prerequisites::account(project, &found.sam, stack)?;
        ensure!(account.is_deployed, "{stack} was not deployed");
    }
    if wanted.env == Target::Prod {
        let mut aws = Environment::aws(project)?.command("aws");
        aws.args(["cloudformation", "update-termination-protection", "--enable-termination-protection"]);
        process::run(aws.args(["--region", &account.region, "--stack-name", stack]))?;
    }
    script(project, "smoke_test.py", stack, |_| {})?;
    println!("an administrator: cargo xtask admin --email ADDRESS --stack {stack}");
    Ok(())
}

/// What `sam` is told to do: in the region that was looked at, whatever samconfig.toml says, and of what lies here, where
/// by itself it would take what an earlier `sam build` has left. A creation that fails leaves nothing: what is left of
/// one can be neither changed nor created.
fn sam_deploy<'a>(environment: &'a str, account: &'a Account, yes: bool) -> Vec<&'a str> {
    let mut arguments = vec!["deploy", "--config-env", environment, "--template-file", "template.yaml"];
    arguments.extend(["--region", &account.region]);
    if !account.is_deployed {
        arguments.extend(["--on-failure", "DELETE"]);
    }
    arguments.extend(yes.then_some("--no-confirm-changeset"));
    arguments
}

/// Deletes a stack and all that a deleted stack leaves behind.
///
/// # Errors
/// For production; and when a step fails.
pub(crate) fn destroy(project: &Project, wanted: &Destroy) -> Result<()> {
    let stack = wanted.env.stack();
    match wanted.env {
        Target::Prod => bail!("{stack} is deleted by hand only (docs/operations.md, Cleaning up)"),
        Target::Dev => script(project, "destroy_stack.py", stack, |_| {}),
        Target::Local => {
            let emulator = Emulator::new(project, wanted.port);
            script(project, "destroy_stack.py", stack, |command| emulator.point(command))
        }
    }
}

fn build(project: &Project, lambda: &Environment) -> Result<()> {
    let mut build = lambda.command("cargo-lambda");
    build.args(["lambda", "build", "--release", "--arm64"]);
    build.args(packages(project)?.iter().flat_map(|package| ["--package", package]));
    process::run(for_deployment(&mut build).current_dir(project.root()))
}

/// Runs a script of localstack/ on a stack.
fn script(project: &Project, name: &str, stack: &str, point: impl FnOnce(&mut Command)) -> Result<()> {
    let mut command = Environment::sam(project)?.command("python");
    point(&mut command);
    process::run(command.current_dir(project.root()).args([&format!("localstack/{name}"), stack]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn production_is_protected_only_once_it_is_there() {
        assert_eq!(Target::Prod.environments(false), ["prod-first", "prod"]);
        assert_eq!(Target::Prod.environments(true), ["prod"]);
        assert_eq!(Target::Dev.environments(false), Target::Dev.environments(true));
    }

    #[test]
    fn each_environment_is_one_of_samconfig_and_deploys_the_stack_of_that_name() {
        let samconfig = fs::read_to_string(Project::find().unwrap().root().join("samconfig.toml")).unwrap();
        let samconfig: toml::Table = samconfig.parse().unwrap();
        for target in [Target::Dev, Target::Prod, Target::Local] {
            for environment in target.environments(false) {
                let named = samconfig[*environment]["global"]["parameters"]["stack_name"].as_str();
                assert_eq!(named, Some(target.stack()), "{environment}");
            }
        }
    }

    #[test]
    fn what_is_deployed_goes_to_the_region_that_was_looked_at_and_a_creation_leaves_nothing_behind() {
        let of = |is_deployed| {
            let account = format!(
                r#"{{"id": "123456789012", "region": "eu-central-1", "concurrent_executions": 10,
                     "is_deployed": {is_deployed}, "is_left_of_a_failure": false}}"#
            );
            sam_deploy("dev", &serde_json::from_str(&account).unwrap(), true).join(" ")
        };
        assert!(of(false).contains("--region eu-central-1 --on-failure DELETE --no-confirm-changeset"));
        assert!(of(true).ends_with("--region eu-central-1 --no-confirm-changeset"));
    }

    #[test]
    fn production_is_never_deleted() {
        let project = Project::find().unwrap();
        let error = destroy(&project, &Destroy { env: Target::Prod, port: 1 }).unwrap_err().to_string();
        assert!(error.contains("by hand"), "{error}");
    }
}
