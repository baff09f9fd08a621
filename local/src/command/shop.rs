//! `shop`: every function in this process, over the embedded cloud, behind the gateway.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use shop_local::cloud::{Cloud, Mode, Options};
use shop_local::demo::{self, Seeded};
use shop_local::gateway::{DemoIdentity, Gateway, Listeners, TokenSettings, serve};
use shop_local::template::Template;

use super::admin;
use super::arguments::{GatewayOptions, Shop};
use super::banner::Banner;
use super::data_dir::DataDir;
use super::output::say;
use super::stop::StopSignals;

const TEMPLATE: &str = "template.yaml";
/// Beside the template, and ignored by git.
pub(super) const DEFAULT_DATA: &str = ".data";

/// Serves until a signal comes. A second signal ends at once what is still running.
pub(super) async fn run(settings: Shop) -> Result<()> {
    let mut signals = StopSignals::catch()?;
    // The port first: nothing is touched when another shop runs here.
    let listeners = Listeners::bind(settings.gateway.port).await?;
    let template_path = match settings.template {
        Some(path) => path,
        None => find_template()?,
    };
    let folder = settings.data.unwrap_or_else(|| template_path.with_file_name(DEFAULT_DATA));
    let instead = "--data DIR or --memory";
    let mut data = if settings.memory { None } else { Some(DataDir::open(&folder, instead)?) };
    let mut parameters = allowed_origins(&settings.gateway);
    parameters.extend(settings.parameter);
    let template = Template::load(&template_path, &parameters)
        .with_context(|| format!("{} cannot be used", template_path.display()))?;
    let mode = Mode::Real { data_dir: data.as_ref().map(|data| data.path().to_owned()) };
    let cloud = Cloud::start(&template, &services::functions(), Options::new(mode))
        .await
        .with_context(|| remedy(data.as_ref()))?;
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
    let gateway = Arc::new(Gateway::new(Arc::new(cloud.clone()), identity, banner).with_cors(template.cors));
    serve(listeners, gateway, signals.next()).await;
    tokio::select! {
        biased;
        () = cloud.stop() => {}
        () = signals.next() => tracing::warn!("stopped with work under way; it goes on at the next start"),
    }
    drop(data);
    Ok(())
}

/// The parameter of the template that names the origins of pages.
pub(super) fn allowed_origins(gateway: &GatewayOptions) -> BTreeMap<String, String> {
    BTreeMap::from([("AllowedOrigins".to_owned(), gateway.allow_origin.join(","))])
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

/// The template of the workspace: beside this package under cargo, else in this folder or one above it.
pub(super) fn find_template() -> Result<PathBuf> {
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
