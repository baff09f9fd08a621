//! The whole suite against the embedded cloud, in this process and in memory: once as `cargo run` serves it,
//! and once with every message delivered twice, where the suite is anybody it needs to be.

mod fixtures;
mod log_search;
mod spoil;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use end_to_end::{Administrator, Identities, Ignored, Scale, Shop, issue_with, scenarios};
use libtest_mimic::{Arguments, Trial};
use shop_auth::{SessionId, TokenIssuer};
use shop_lambda::{Function, Kind};
use shop_local::cloud::{Call, Cloud, Depth, Interceptor, Options};
use shop_local::demo;
use shop_local::demonstration::Demonstration;
use shop_local::gateway::{DemoIdentity, Gateway, Listeners, TokenSettings, serve};
use shop_local::template::{Template, of_one_machine};
use shop_types::UserId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// Who a request without a token is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WithoutToken {
    DemoAdministrator,
    Guest,
}

/// A way to run the suite: its name is the first part of each scenario's.
struct Run {
    name: &'static str,
    without_token: WithoutToken,
    deliver_twice: bool,
}

const RUNS: [Run; 2] = [
    Run { name: "as_cargo_run", without_token: WithoutToken::DemoAdministrator, deliver_twice: false },
    Run { name: "every_message_twice", without_token: WithoutToken::Guest, deliver_twice: true },
];

/// Each scenario is a test of its own, by name and filter, of one shop for each run; what must hold of a whole run is
/// the last test.
fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // One after another: each may load the shop with hundreds of calls of its own.
    arguments.test_threads = Some(1);
    let mut is_ok = true;
    for run in &RUNS {
        is_ok &= of_run(run, &arguments)?;
    }
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the chosen scenarios of a run held, and all that must hold of it where all were chosen.
fn of_run(run: &'static Run, arguments: &Arguments) -> Result<bool> {
    let names = scenarios::ALL.iter().map(|scenario| format!("{}::{}", run.name, scenario.name));
    let is_chosen = |name: &String| {
        let of = |filter: &String| if arguments.exact { name == filter } else { name.contains(filter) };
        arguments.filter.as_ref().is_none_or(of) && !arguments.skip.iter().any(of)
    };
    let chosen = names.clone().filter(is_chosen).count();
    if arguments.list || chosen == 0 {
        let trials = names.map(|name| Trial::test(name, || Ok(()))).collect();
        return Ok(!libtest_mimic::run(arguments, trials).has_failed());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let runtime = Arc::new(runtime);
    let log = log_search::start()?;
    let stage = runtime.block_on(Stage::start(run))?;
    let shop = Arc::clone(&stage.shop);
    let trials = scenarios::ALL.iter().zip(names).map(|(scenario, name)| {
        let (runtime, shop) = (Arc::clone(&runtime), Arc::clone(&shop));
        Trial::test(name, move || match runtime.block_on((scenario.run)(&shop)) {
            Err(error) if error.downcast_ref::<Ignored>().is_none() => Err(format!("{error:#}").into()),
            _ => Ok(()),
        })
    });
    let trials: Vec<_> = trials.collect();
    drop(shop);
    let mut is_ok = !libtest_mimic::run(arguments, trials).has_failed();
    let is_whole = is_ok && chosen == scenarios::ALL.len();
    let finish = move || {
        let finished = runtime.block_on(stage.finish(is_whole)).and_then(|()| log.is_clean());
        finished.map_err(|error| format!("{error:#}").into())
    };
    let whole = Arguments { filter: None, exact: false, skip: Vec::new(), ..arguments.clone() };
    let last = Trial::test(format!("{}::in_the_end", run.name), finish);
    is_ok &= !libtest_mimic::run(&whole, vec![last]).has_failed();
    Ok(is_ok)
}

/// What failed comes again after a thirtieth of the time. Schedules keep theirs, or they would meddle with scenarios.
struct SoonerAgain(Demonstration);

impl SoonerAgain {
    fn new() -> Self {
        let times = const { NonZeroU32::new(30).unwrap() };
        Self(Demonstration::new(Duration::ZERO, []).in_time_lapse(times))
    }
}

impl Interceptor for SoonerAgain {
    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        self.0.rewrite(call)
    }
}

/// A shop that the scenarios of a run ask.
struct Stage {
    run: &'static Run,
    template: Template,
    cloud: Cloud,
    tokens: TokenSettings,
    administrator: Administrator,
    shop: Arc<Shop>,
    serving: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Stage {
    async fn start(run: &'static Run) -> Result<Self> {
        let listeners = Listeners::bind(0).await?;
        let base_url = listeners.base_url();
        // Where presigned URLs lead.
        let front_door = Some(base_url.clone());
        let mut options = Options { deliver_twice: run.deliver_twice, front_door, ..Options::memory() };
        options.observers.push(contract_check::observer());
        if run.deliver_twice {
            options.interceptor = Some(Arc::new(SoonerAgain::new()));
        }
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
        let session = Some(put_session(&cloud, &id).await?);
        let administrator = Administrator { id, epoch: 1, session };
        let (demo, identities) = match run.without_token {
            WithoutToken::DemoAdministrator => {
                let demo = DemoIdentity::start(&sdk, &tokens).await?;
                demo::seed(&cloud, &demo).await?;
                (Some(demo), Identities::Demo)
            }
            WithoutToken::Guest => {
                (None, Identities::Anybody(issue_with(issuer(&sdk, &tokens).await?, administrator.clone())))
            }
        };

        let gateway = Arc::new(Gateway::new(Arc::new(cloud.clone()), demo, String::new()));
        let (serving, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(listeners, gateway, async {
            // The sender says it by going away, which is an error to the one who waits.
            ended.await.unwrap_or_default();
        }));
        let shop = Arc::new(Shop::open(&base_url, identities, Scale::Full).await?);
        Ok(Self { run, template, cloud, tokens, administrator, shop, serving, server })
    }

    /// What must hold of a run as a whole, where all of it was run; the shop is closed.
    async fn finish(self, is_whole: bool) -> Result<()> {
        let Self { run, template, cloud, tokens, administrator, shop, serving, server } = self;
        // Connections that the suite holds open would be waited for.
        drop(shop);
        if is_whole {
            // What goes wrong late goes wrong now.
            cloud.settled().await;
            // And what no request can bring about, nor mend.
            if run.without_token == WithoutToken::Guest {
                spoil::and_mend(&cloud).await?;
                let issuer = issuer(&cloud.sdk_config("end-to-end"), &tokens).await?;
                fixtures::of_functions_without_a_scenario(&cloud, &issuer, &administrator).await?;
                fixtures::of_dead_letters(&cloud, &template, &issuer, &administrator).await?;
                fixtures::of_consumers_with_a_malformed_message(&cloud).await?;
            }
        }
        let queues = cloud.queues();
        let unused = unused_grants(&template, &cloud)?;
        drop(serving);
        server.await?;
        cloud.stop().await;

        let dead_letters = queues.iter().filter(|(name, _)| name.contains("DeadLetter"));
        let given_up: Vec<_> = dead_letters.filter(|(_, depth)| **depth != Depth::default()).collect();
        ensure!(given_up.is_empty(), "messages were given up: {given_up:?}");
        // Only the run that is anybody comes through every call of every function.
        if is_whole && run.without_token == WithoutToken::Guest {
            ensure!(unused.is_empty(), "the template grants what no function needs: {unused:#?}");
        }
        Ok(())
    }
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

/// What the template grants, no function has used, and nobody has said why. (What it does not grant, the cloud refuses.)
fn unused_grants(template: &Template, cloud: &Cloud) -> Result<Vec<String>> {
    let used = cloud.meter().permissions;
    let (mut granted, mut unused) = (BTreeSet::new(), BTreeSet::new());
    for function in template.functions.values() {
        let used = used.get(&function.name);
        for (action, resource) in function.grants.iter() {
            let grant = format!("{}: {action} on {resource}", function.name);
            let is_used = used.is_some_and(|used| {
                used.iter().any(|access| access.action == *action && access.resource == *resource)
            });
            if !is_used {
                unused.insert(grant.clone());
            }
            granted.insert(grant);
        }
    }
    let seldom = seldom_needed();
    let gone: Vec<_> = seldom.difference(&granted).collect();
    ensure!(gone.is_empty(), "grants that are said to be seldom needed, and are not there: {gone:#?}");
    Ok(unused.difference(&seldom).cloned().collect())
}

/// What the suite gives no function a certain reason to use: no record of its is poison, no export takes longer than one
/// call has time, no segment of the index is an hour old, and a redrive is done before anybody can pause it.
fn seldom_needed() -> BTreeSet<String> {
    let functions = services::functions();
    let relays = functions.iter().filter(|function| function.kind() == Kind::Relay).map(Function::name);
    let mut seldom: BTreeSet<_> =
        relays.map(|name| format!("{name}: sqs:SendMessage on RelayDeadLetterQueue")).collect();
    let others = [
        "export-products: s3:GetObject on importsbucket/exports/*",
        "export-products: sqs:SendMessage on shop-ExportProductsQueue",
        "rebuild-search: s3:DeleteObject on searchbucket/segments/*",
        "update-redrive: dynamodb:UpdateItem on RedrivesTable",
        "update-redrive: sqs:SendMessage on shop-RunRedriveQueue",
    ];
    seldom.extend(others.map(str::to_owned));
    seldom
}

/// A session of somebody's, as far as others ask for it: whether it is there.
async fn put_session(cloud: &Cloud, user: &UserId) -> Result<SessionId> {
    let session = SessionId::fresh([1; 16]);
    let table = cloud.physical("SessionsTable").context("the sessions table")?;
    let put = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("end-to-end")).put_item().table_name(table);
    let put = put.item("pk", AttributeValue::S(user.to_string()));
    put.item("sk", AttributeValue::S(session.sort_key())).send().await?;
    Ok(session)
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
