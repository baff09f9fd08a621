//! What a deployment to AWS needs: of this machine, of samconfig.toml, and of the account.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::parameters::Parameters;
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// What Rust calls Lambda's Graviton.
const RUST_TARGET: &str = "aarch64-unknown-linux-gnu";
/// Production reserves ten environments for each function that hashes passwords behind a route, and AWS wants a hundred left
/// beside them. A test counts them.
const PRODUCTION_CONCURRENCY: u32 = 150;

/// What there is.
pub(super) struct Prerequisites {
    pub(super) sam: Environment,
    pub(super) lambda: Environment,
    pub(super) account: Account,
}

/// An account of AWS, as `localstack/account.py` describes it.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) region: String,
    concurrent_executions: u32,
    pub(super) is_deployed: bool,
    /// The stack's creation has failed, and nothing can be done with it but to delete it.
    is_left_of_a_failure: bool,
}

impl Prerequisites {
    /// Looks for everything.
    ///
    /// # Errors
    /// When something is missing; all of it is named.
    pub(super) fn find(
        project: &Project,
        stack: &str,
        environments: &[(&str, Parameters)],
        is_production: bool,
    ) -> Result<Self> {
        let mut missing = of_machine();
        let mut need =
            |result: Result<Environment>| result.map_err(|error| missing.push(format!("{error:#}"))).ok();
        let (sam, lambda) = (need(Environment::sam(project)), need(Environment::cargo_lambda(project)));
        for (environment, parameters) in environments {
            missing.extend(of_parameters(environment, parameters));
        }
        let account = sam.as_ref().and_then(|sam| match account(project, sam, stack) {
            Ok(account) => Some(account),
            Err(error) => {
                missing.push(format!("credentials of an AWS account that may be asked: {error:#}"));
                None
            }
        });
        if let Some(account) = &account {
            missing.extend(of_stack(account, stack));
            missing.extend(is_production.then(|| of_account(account)).flatten());
        }
        match (sam, lambda, account) {
            (Some(sam), Some(lambda), Some(account)) if missing.is_empty() => {
                Ok(Self { sam, lambda, account })
            }
            _ => bail!("missing:\n- {}", missing.join("\n- ")),
        }
    }
}

fn of_machine() -> Vec<String> {
    let mut missing = Vec::new();
    if !process::succeeds(Command::new("cc").arg("--version")) {
        missing
            .push("a C compiler as `cc` (Debian: build-essential; macOS: xcode-select --install)".to_owned());
    }
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"])).unwrap_or_default();
    if !Path::new(sysroot.trim()).join("lib/rustlib").join(RUST_TARGET).exists() {
        missing.push(format!("Rust's target of the functions: rustup target add {RUST_TARGET}"));
    }
    missing
}

/// What an environment's parameters must say before anything is built.
fn of_parameters(environment: &str, parameters: &Parameters) -> Vec<String> {
    let mut missing = Vec::new();
    if parameters.get("Architecture") != "arm64" {
        let wanted = "Architecture=arm64, which functions are built for here; another is for emulators";
        missing.push(format!("samconfig.toml, {environment}: {wanted}"));
    }
    let is_protected = ["DeletionProtection", "PointInTimeRecovery"].map(|name| parameters.get(name));
    if is_protected.contains(&"true") && parameters.get("AlarmEmail").is_empty() {
        let wanted = "\"AlarmEmail=...\" among the parameter_overrides: who is told of alarms";
        missing.push(format!("samconfig.toml, {environment}: {wanted}"));
    }
    missing
}

fn of_stack(account: &Account, stack: &str) -> Option<String> {
    account.is_left_of_a_failure.then(|| {
        format!(
            "a stack of that name that can be deployed: {stack} could not be created, and can only be deleted \
             (aws cloudformation delete-stack --stack-name {stack} --region {})",
            account.region
        )
    })
}

fn of_account(account: &Account) -> Option<String> {
    let has = account.concurrent_executions;
    (has < PRODUCTION_CONCURRENCY).then(|| {
        format!(
            "concurrent executions: the account has {has}, production needs {PRODUCTION_CONCURRENCY} (docs/operations.md, \
             Concurrency)"
        )
    })
}

/// Asks for the account, and whether the stack is there.
///
/// # Errors
/// When it cannot be asked.
pub(super) fn account(project: &Project, sam: &Environment, stack: &str) -> Result<Account> {
    let mut command = sam.command("python");
    let described =
        process::output(command.current_dir(project.root()).args(["localstack/account.py", stack]))?;
    serde_json::from_str(&described).context("the description of the account")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_kept_needs_somebody_who_is_told_of_alarms_and_functions_one_processor() {
        let template = "Parameters:\n  Architecture: { Default: arm64 }\n  AlarmEmail: { Default: \"\" }\n  DeletionProtection: { \
                        Default: false }\n  PointInTimeRecovery: { Default: true }\n";
        let of = |overrides: &str| {
            let samconfig = format!("[prod.global.parameters]\nparameter_overrides = [{overrides}]\n");
            of_parameters("prod", &Parameters::read(template, &samconfig, "prod").unwrap()).join(" ")
        };
        assert_eq!(of("\"AlarmEmail=ops@example.com\""), "");
        assert_eq!(of("\"PointInTimeRecovery=false\""), "");
        for missing in [
            "",
            "\"AlarmEmail=\"",
            "'AlarmEmail=\"\"'",
            "\"PointInTimeRecovery=false\", \"DeletionProtection=true\"",
        ] {
            assert!(of(missing).contains("AlarmEmail"), "{missing}");
        }
        assert!(of("\"AlarmEmail=ops@example.com\", \"Architecture=x86_64\"").contains("Architecture"));
    }

    #[test]
    fn production_needs_more_than_a_new_account_has_and_no_stack_that_failed() {
        let account = |concurrent_executions, is_left_of_a_failure| {
            let (id, region) = ("123456789012".to_owned(), "eu-central-1".to_owned());
            Account { id, region, concurrent_executions, is_deployed: false, is_left_of_a_failure }
        };
        assert!(of_account(&account(10, false)).unwrap().contains("has 10"));
        assert_eq!(of_account(&account(1000, false)), None);
        assert_eq!(of_stack(&account(1000, false), "shop-prod"), None);
        let failed = of_stack(&account(1000, true), "shop-prod").unwrap();
        assert!(failed.contains("delete-stack --stack-name shop-prod --region eu-central-1"), "{failed}");
    }

    #[test]
    fn production_needs_what_its_template_reserves_and_what_aws_wants_left() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
        let reserving = template.matches("\n      ReservedConcurrentExecutions:").count();
        let (_, parameter) = template.split_once("\n  PasswordConcurrency:").unwrap();
        let (_, default) = parameter.split_once("Default: ").unwrap();
        let each: u32 = default.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(PRODUCTION_CONCURRENCY, u32::try_from(reserving).unwrap() * each + 100);
    }
}
