//! `cargo xtask sam-local`: `sam local invoke` of every function, in Lambda's image, with its fixture, on the
//! tables and queues of an emulator; and that no function starts without its variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::docker;
use crate::emulator::{Emulator, REGION, Stack};
use crate::forward::forward;
use crate::process;
use crate::project::Project;
use crate::python::Environment;
use crate::template::{Function, Template, Trigger};

/// SAM CLI hands a container only declared variables, so this one is declared for it.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// What a fixture holds in the place of an access token (events/README.md).
const TOKEN: &str = "Bearer TOKEN";
/// A function that lacks a variable ends at once.
const INIT_PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How many functions are invoked at a time: SAM CLI is mostly its own start, and a container's.
const AT_ONCE: usize = 3;

/// Invokes every function, or the one named, with an emulator that is up.
///
/// # Errors
/// When an invocation fails, or a function starts without one of its variables.
pub(crate) fn check(project: &Project, emulator: &Emulator, only: Option<&str>) -> Result<()> {
    let template = Template::read(project)?;
    let mut functions = template.functions()?;
    if let Some(only) = only {
        functions.retain(|id, function| id == only || function.name == only);
        ensure!(!functions.is_empty(), "template.yaml has no function {only}");
    }
    let stack = emulator.stack(project)?;
    for (id, function) in &functions {
        refuses_to_start(project, emulator, function, &stack, id)?;
    }
    println!("no function starts without its variables");

    let _engine = docker::engine(project)?;
    docker::image(project)?;
    let endpoint = format!("http://{}", forward(docker::host_address()?, emulator.port())?);
    let folder = project.workshop().join("sam-local");
    fs::create_dir_all(&folder)?;
    let sam = Sam {
        tools: Environment::sam(project)?,
        template: folder.join("template.yaml"),
        variables: folder.join("variables.json"),
        folder,
    };
    template.write_for_sam_local(project, ENDPOINT, &sam.template)?;
    write_variables(&sam.variables, &stack, &endpoint)?;
    let left = Mutex::new(functions.iter());
    let work = |worker: usize| {
        loop {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((id, function)) = next else { return Ok(()) };
            if let Err(error) = sam.check(project, emulator, worker, (id.as_str(), function)) {
                // The others end with what they have begun.
                left.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
                return Err(error);
            }
        }
    };
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn write_variables(file: &Path, stack: &Stack, endpoint: &str) -> Result<()> {
    let mut variables = stack.variables.clone();
    for function in variables.values_mut() {
        function.insert(ENDPOINT.to_owned(), endpoint.to_owned());
    }
    fs::write(file, serde_json::to_vec(&variables)?)
        .with_context(|| format!("cannot write {}", file.display()))
}

struct Sam {
    tools: Environment,
    template: PathBuf,
    variables: PathBuf,
    folder: PathBuf,
}

impl Sam {
    /// Invokes a function, and holds its answer to what it is called by.
    fn check(
        &self,
        project: &Project,
        emulator: &Emulator,
        worker: usize,
        (id, function): (&str, &Function),
    ) -> Result<()> {
        let started = Instant::now();
        let fixture = project.root().join(format!("events/{}.json", function.name));
        let payload = fs::read_to_string(&fixture).with_context(|| fixture.display().to_string())?;
        let log = self.folder.join(format!("invoke-{worker}.log"));
        let answer = self.invoke(project, emulator, id, &payload, &log)?;
        let what = check_answer(function.trigger, payload.contains(TOKEN), &answer)
            .with_context(|| format!("{}: {answer}\n{}", function.name, process::tail(&log)))?;
        println!("sam local invoke {}: {what} ({:.1?})", function.name, started.elapsed());
        Ok(())
    }

    fn invoke(
        &self,
        project: &Project,
        emulator: &Emulator,
        id: &str,
        payload: &str,
        log: &Path,
    ) -> Result<Value> {
        let event = log.with_extension("json");
        // One for each: an administrator's token lives for five minutes, and all functions take longer.
        let payload = if payload.contains(TOKEN) {
            payload.replace(TOKEN, &format!("Bearer {}", Stack::access_token(project, emulator)?))
        } else {
            payload.to_owned()
        };
        fs::write(&event, payload)?;
        let mut command = self.tools.command("sam");
        emulator.point(&mut command);
        command
            // Only the function in the container is to use it, and that by another name.
            .env_remove(ENDPOINT)
            .current_dir(project.root())
            .args(["local", "invoke", id, "--skip-pull-image", "--region", REGION])
            .args(["--parameter-overrides", "Architecture=x86_64"])
            .arg("--template")
            .arg(&self.template)
            .arg("--env-vars")
            .arg(&self.variables)
            .arg("--event")
            .arg(event)
            .stdin(Stdio::null())
            .stderr(fs::File::create(log)?);
        let output = command.output().context("cannot start sam")?;
        ensure!(output.status.success(), "{id}: {}\n{}", output.status, process::tail(log));
        let answer = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(answer.trim())
            .with_context(|| format!("{id} answered {answer:?}\n{}", process::tail(log)))
    }
}

/// `signed_in` tells that the request carried an access token.
fn check_answer(trigger: Trigger, signed_in: bool, answer: &Value) -> Result<String> {
    match trigger {
        Trigger::Http => {
            let status = answer["statusCode"].as_u64().context("no statusCode")?;
            ensure!((200..500).contains(&status), "status {status}");
            ensure!(status != 401 || !signed_in, "the access token is not accepted");
            Ok(format!("status {status}"))
        }
        Trigger::Batch => {
            let failures = answer["batchItemFailures"].as_array().context("no batchItemFailures")?;
            Ok(format!("{} failures", failures.len()))
        }
        Trigger::Nothing => {
            ensure!(answer.is_object() && answer["errorMessage"].is_null(), "it failed");
            Ok("an answer".to_owned())
        }
        Trigger::Schedule => {
            let answer = answer.as_object().context("no report")?;
            ensure!(!answer.contains_key("errorMessage"), "it failed");
            Ok(format!("a report of {} members", answer.len()))
        }
    }
}

/// Starts the function's binary once without each of its variables: it must end, and name the variable.
fn refuses_to_start(
    project: &Project,
    emulator: &Emulator,
    function: &Function,
    stack: &Stack,
    id: &str,
) -> Result<()> {
    let none = BTreeMap::new();
    let deployed = stack.variables.get(id).unwrap_or(&none);
    for variable in &function.variables {
        let present = deployed.iter().filter(|(name, _)| *name != variable);
        let mut command = Command::new(project.bootstrap(&function.name));
        command.env_clear();
        emulator.point(&mut command);
        command.envs(present).envs([
            // Where it would fetch its first event: nobody listens there.
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.as_str()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ]);
        let said = ended(&mut command).with_context(|| format!("{} without {variable}", function.name))?;
        ensure!(said.contains(variable), "{} does not name {variable}: {said}", function.name);
    }
    Ok(())
}

/// What a program printed that ended in failure within a short time.
fn ended(command: &mut Command) -> Result<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > INIT_PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("it went on for {INIT_PATIENCE:?}");
        }
        thread::sleep(LOOK_AGAIN);
    }
    let output = child.wait_with_output()?;
    ensure!(!output.status.success(), "it ended well");
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_of_the_triggers_form() {
        assert_eq!(check_answer(Trigger::Http, true, &json!({"statusCode": 404})).unwrap(), "status 404");
        assert_eq!(
            check_answer(Trigger::Batch, false, &json!({"batchItemFailures": []})).unwrap(),
            "0 failures"
        );
        assert!(check_answer(Trigger::Http, false, &json!({"statusCode": 401})).is_ok());
        assert_eq!(
            check_answer(Trigger::Schedule, false, &json!({"found": 0})).unwrap(),
            "a report of 1 members"
        );
        for (trigger, wrong) in [
            (Trigger::Http, json!({"statusCode": 500})),
            (Trigger::Http, json!({"statusCode": 401})),
            (Trigger::Http, json!({"errorMessage": "no"})),
            (Trigger::Batch, json!({"errorMessage": "no"})),
            (Trigger::Batch, json!(null)),
            (Trigger::Nothing, json!({"errorMessage": "no"})),
            (Trigger::Nothing, json!(null)),
            (Trigger::Schedule, json!({"errorMessage": "no"})),
            (Trigger::Schedule, json!(null)),
        ] {
            assert!(check_answer(trigger, true, &wrong).is_err(), "{wrong}");
        }
    }
}
