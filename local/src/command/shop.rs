//! `shop`: every function in this process, over the embedded cloud, behind the gateway.

use std::sync::Arc;

use anyhow::{Context, Result};
use shop_local::cloud::{Cloud, Mode, Options};
use shop_local::demo::{self, Seeded};
use shop_local::demonstration::Demonstration;
use shop_local::gateway::{DemoIdentity, Gateway, Listeners, TokenSettings, serve};
use shop_local::template::Template;

use super::admin;
use super::arguments::Shop;
use super::banner::Banner;
use super::data_dir::DataDir;
use super::location::Location;
use super::output::say;
use super::stop::StopSignals;

/// From whom the demo's mails are.
const DEMO_SENDER: &str = "shop@example.com";

/// Serves until a signal comes. A second signal ends at once what is still running.
pub(super) async fn run(settings: Shop) -> Result<()> {
    let mut signals = StopSignals::catch()?;
    // The port first: nothing is touched when another shop runs here.
    let listeners = Listeners::bind(settings.gateway.port).await?;
    let location = Location::find(settings.template, settings.data)?;
    let instead = "--data DIR or --memory";
    let mut data = if settings.memory { None } else { Some(DataDir::open(&location.data, instead)?) };
    let mut parameters = settings.gateway.parameters();
    parameters.insert("EdgeCache".to_owned(), "true".to_owned());
    if !settings.gateway.no_demo {
        // A shop that sends mails, none of which leaves this machine: `/mailbox` shows them, and their links lead to its
        // own pages.
        parameters.insert("EmailFrom".to_owned(), DEMO_SENDER.to_owned());
        parameters.insert("ShopUrl".to_owned(), listeners.base_url());
    }
    parameters.extend(settings.parameter);
    let template = location.load(&parameters)?;
    let mode = Mode::Real { data_dir: data.as_ref().map(|data| data.path().to_owned()) };
    let front_door = Some(listeners.base_url());
    let functions = services::functions();
    let names = functions.iter().map(|function| function.name().to_owned());
    let demonstration = Demonstration::new(settings.hop_delay, names).in_time_lapse(settings.time_lapse);
    let demonstration = Arc::new(demonstration);
    for function in &settings.fail {
        demonstration.set_failing(function, true)?;
    }
    let interceptor = Some(Arc::<Demonstration>::clone(&demonstration) as _);
    let options = Options { front_door, interceptor, ..Options::new(mode) };
    let cloud = Cloud::start(&template, &functions, options).await.with_context(|| remedy(data.as_ref()))?;
    data.as_mut().map_or(Ok(()), DataDir::started)?;

    // What goes wrong below the functions is in the log: they tell a caller no more than that it did.
    let demo = if settings.gateway.no_demo {
        None
    } else {
        Some(start_demo(&cloud, &template).await.with_context(|| remedy(data.as_ref()))?)
    };
    let banner = Banner {
        port: listeners.port(),
        data: data.as_ref().map(DataDir::path),
        demo: demo.as_ref().map(|(_, seeded)| *seeded),
        routes: cloud.routes(),
    }
    .to_string();
    say(&banner)?;
    if let Some(email) = &settings.admin {
        let password = admin::make(&cloud, email).await?;
        say(&format!("\n{email} is an administrator now; the password, shown this once: {password}\n"))?;
    }

    let identity = demo.map(|(identity, _)| identity);
    let gateway = Gateway::new(Arc::new(cloud.clone()), identity, banner).with_cors(template.cors);
    let gateway = Arc::new(gateway.with_demonstration(demonstration));
    serve(listeners, gateway, signals.next()).await;
    tokio::select! {
        biased;
        () = cloud.stop() => {}
        () = signals.next() => tracing::warn!("stopped with work under way; it goes on at the next start"),
    }
    drop(data);
    Ok(())
}

/// What to do where the state cannot be used; the log before may say more of the cause.
fn remedy(data: Option<&DataDir>) -> String {
    data.map_or_else(|| "the shop cannot start".to_owned(), DataDir::remedy)
}

async fn start_demo(cloud: &Cloud, template: &Template) -> Result<(DemoIdentity, Seeded)> {
    let tokens = TokenSettings::from_template(template).context(
        "the template has no TokenSecret, or no function that checks tokens: the demo needs both (--no-demo)",
    )?;
    let identity = DemoIdentity::start(&cloud.sdk_config("gateway"), &tokens).await?;
    let seeded = demo::seed(cloud, &identity).await.context("the demo data cannot be put in")?;
    Ok((identity, seeded))
}
