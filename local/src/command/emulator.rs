//! `shop gateway`: only the gateway, before the HTTP API of an emulator.

use std::sync::Arc;

use anyhow::{Context, Result};
use shop_lambda::Environment;
use shop_local::demo;
use shop_local::gateway::{DEMO_EMAIL, DemoIdentity, Gateway, Listeners, TokenSettings, Upstream, serve};

use super::arguments::Emulator;
use super::location::Location;
use super::output::say;
use super::stop::StopSignals;

/// Serves until a signal comes.
pub(super) async fn run(settings: Emulator) -> Result<()> {
    let mut signals = StopSignals::catch()?;
    let listeners = Listeners::bind(settings.gateway.port).await?;
    let template = Location::find(None, None)?.load(&settings.gateway.parameters())?;
    let cors = template.cors;
    let backend = Arc::new(
        Upstream::new(&settings.upstream, &settings.host_header)?
            .with_admin_function(settings.admin_function.clone()),
    );
    let identity = match token_settings(&settings) {
        None => None,
        Some(tokens) => {
            let environment = Environment::from_lambda().context("the emulator's AWS settings")?;
            let identity = DemoIdentity::start(environment.sdk_config(), &tokens).await?;
            demo::seed(&*backend, &identity).await.context("the demo data cannot be put in")?;
            Some(identity)
        }
    };
    let principal = match identity {
        Some(_) => format!("{DEMO_EMAIL}, administrator"),
        None => "a guest".to_owned(),
    };
    let banner = format!(
        "The gateway of {} is open at http://localhost:{}, on this machine only.\n\
         A request without a token acts as {principal}.\n",
        settings.upstream,
        listeners.port(),
    );
    say(&banner)?;
    serve(listeners, Arc::new(Gateway::new(backend, identity, banner).with_cors(cors)), signals.next()).await;
    Ok(())
}

/// None without the demo; the command line insists on all of them otherwise.
fn token_settings(settings: &Emulator) -> Option<TokenSettings> {
    if settings.gateway.no_demo {
        return None;
    }
    Some(TokenSettings {
        secret_id: settings.secret_id.clone()?,
        keys_table: settings.keys_table.clone()?,
        users_table: settings.users_table.clone(),
        issuer: settings.token_issuer.clone()?,
        audience: settings.token_audience.clone()?,
    })
}
