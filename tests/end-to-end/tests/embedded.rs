//! The whole suite against the embedded cloud, in this process and in memory: once as `cargo run` serves it,
//! and once with every message delivered twice, where the suite is anybody it needs to be.

mod fixtures;
mod log_search;
mod spoil;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use end_to_end::{Administrator, Identities, Scale, Shop, issue_with, runner};
use shop_auth::TokenIssuer;
use shop_lambda::{Function, Kind};
use shop_local::cloud::{Cloud, Depth, Options};
use shop_local::demo;
use shop_local::front_door::{DemoIdentity, FrontDoor, Listeners, TokenSettings, serve};
use shop_local::template::{Template, of_one_machine};
use shop_types::UserId;
use tokio::sync::oneshot;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// Who a request without a token is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WithoutToken {
    DemoAdministrator,
    Guest,
}

#[test]
fn the_suite_passes_as_cargo_run_serves_the_shop() -> Result<()> {
    run_suite(Options::memory(), WithoutToken::DemoAdministrator)
}

#[test]
fn the_suite_passes_with_every_message_delivered_twice() -> Result<()> {
    run_suite(Options { deliver_twice: true, ..Options::memory() }, WithoutToken::Guest)
}

fn run_suite(mut options: Options, without_token: WithoutToken) -> Result<()> {
    options.observers.push(contract_check::observer());
    let log = log_search::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let template = Template::load(Path::new(TEMPLATE), &parameters())?;
        let cloud = Cloud::start(&template, &services::functions(), options).await?;
        let tokens = TokenSettings::from_template(&template)
            .context("the template has no function that checks tokens")?;
        let sdk = cloud.sdk_config("end-to-end");
        // What has no route has no scenario: the first administrator, who is there the second time.
        let made = create_admin(&cloud, false).await?;
        ensure!(made["result"] == "created", "create-admin: {made}");
        let again = create_admin(&cloud, false).await?;
        ensure!(again["user_id"] == made["user_id"], "create-admin again: {again}");
        let restored = create_admin(&cloud, true).await?;
        ensure!(restored["result"] == "restored", "create-admin to restore: {restored}");
        let id: UserId = made["user_id"].as_str().context("an id")?.parse()?;
        let administrator = Administrator { id: id.clone(), epoch: 1 };
        let (demo, identities) = match without_token {
            WithoutToken::DemoAdministrator => {
                let demo = DemoIdentity::start(&sdk, &tokens).await?;
                demo::seed(&cloud, &demo).await?;
                (Some(demo), Identities::Demo)
            }
            WithoutToken::Guest => {
                (None, Identities::Anybody(issue_with(issuer(&sdk, &tokens).await?, administrator)))
            }
        };

        let listeners = Listeners::bind(0).await?;
        let base_url = format!("http://127.0.0.1:{}", listeners.port());
        let door = Arc::new(FrontDoor::new(Arc::new(cloud.clone()), demo, String::new()));
        let (serving, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(listeners, door, async {
            // The sender says it by going away, which is an error to the one who waits.
            ended.await.unwrap_or_default();
        }));

        let shop = Shop::open(&base_url, identities, Scale::Full).await?;
        let summary = runner::run(&shop, "", &mut TestOutput).await?;
        // Connections that the suite holds open would be waited for.
        drop(shop);
        if summary.is_ok() {
            // What goes wrong late goes wrong now.
            cloud.settled().await;
            // And what no request can bring about, nor mend.
            if without_token == WithoutToken::Guest {
                spoil::and_mend(&cloud).await?;
                let issuer = issuer(&sdk, &tokens).await?;
                fixtures::of_functions_without_a_scenario(&cloud, &issuer, &id).await?;
            }
        }
        let queues = cloud.queues();
        let unused = unused_grants(&template, &cloud);
        drop(serving);
        server.await?;
        cloud.stop().await;

        let dead_letters = queues.iter().filter(|(name, _)| name.contains("DeadLetter"));
        let given_up: Vec<_> = dead_letters.filter(|(_, depth)| **depth != Depth::default()).collect();
        ensure!(given_up.is_empty(), "messages were given up: {given_up:?}");
        ensure!(summary.is_ok(), "failed: {}", summary.failed.join(", "));
        log.is_clean()?;
        // Only the run that is anybody comes through every call of every function.
        if without_token == WithoutToken::Guest {
            ensure!(unused == never_needed(), "the template grants what no function needs: {unused:#?}");
        }
        Ok(())
    })
}

/// An account that is restored keeps its password.
async fn create_admin(cloud: &Cloud, restore: bool) -> Result<serde_json::Value> {
    let admin = if restore {
        r#"{"email": "admin@example.com", "name": "Admin", "restore": true}"#
    } else {
        r#"{"email": "admin@example.com", "password": "correct horse battery staple", "name": "Admin"}"#
    };
    let payload = serde_json::value::RawValue::from_string(admin.to_owned())?;
    Ok(serde_json::from_str(cloud.invoke("create-admin", payload).await?.get())?)
}

/// The parameters of one machine, and room for a suite in which a customer orders by the hundred; samconfig.toml says
/// the same of emulators.
fn parameters() -> BTreeMap<String, String> {
    let ample = ("AccountOrderLimit".to_owned(), "1000000".to_owned());
    of_one_machine().into_iter().chain([ample]).collect()
}

/// What the template grants and no function has used. (What it does not grant, the cloud refuses.)
fn unused_grants(template: &Template, cloud: &Cloud) -> Vec<String> {
    let used = cloud.meter().permissions;
    let mut unused: Vec<String> = Vec::new();
    for function in template.functions.values() {
        let used = used.get(&function.name);
        let is_used = |action: &str, resource: &str| {
            used.is_some_and(|used| {
                used.iter().any(|access| access.action == action && access.resource == resource)
            })
        };
        let grants = function.grants.iter().filter(|(action, resource)| !is_used(action, resource));
        unused.extend(grants.map(|(action, resource)| format!("{}: {action} on {resource}", function.name)));
    }
    unused.sort();
    unused
}

/// What the suite gives no function a reason to use: no record of its is poison.
fn never_needed() -> Vec<String> {
    let functions = services::functions();
    let relays = functions.iter().filter(|function| function.kind() == Kind::Relay).map(Function::name);
    let mut never: Vec<_> =
        relays.map(|name| format!("{name}: sqs:SendMessage on RelayDeadLetterQueue")).collect();
    never.sort();
    never
}

/// The stack's own issuer, with its key published.
async fn issuer(sdk: &aws_types::SdkConfig, tokens: &TokenSettings) -> Result<TokenIssuer> {
    let secrets = aws_sdk_secretsmanager::Client::new(sdk);
    let secret = secrets.get_secret_value().secret_id(&tokens.secret_id).send().await?;
    let secret = secret.secret_string().context("the secret is not text")?;
    let issuer = TokenIssuer::from_secret(secret, &tokens.issuer, &tokens.audience)?;
    issuer.publish(&aws_sdk_dynamodb::Client::new(sdk), &tokens.keys_table).await?;
    Ok(issuer)
}

/// Standard output as the test harness sees it, which keeps it for failures.
struct TestOutput;

impl Write for TestOutput {
    #[expect(clippy::print_stdout, reason = "only so does the harness keep it")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        print!("{}", String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
