//! Runs the suite against a shop that is there: `cargo run -p end-to-end -- --base-url URL`.
//!
//! Without more, the shop must give the demo identity, as `cargo run` does. Elsewhere the environment gives what an
//! administrator logs in with (`SHOP_ADMIN_EMAIL`, `SHOP_ADMIN_PASSWORD`) or a token of one (`SHOP_ADMIN_TOKEN`), or
//! the stack's signing secret (`SHOP_TOKEN_SECRET`), with which the suite can be anybody, and the id and session epoch
//! of an administrator's account (`SHOP_ADMINISTRATOR`). Secrets come by the environment only: arguments can be seen by
//! others.

use std::io::stdout;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use end_to_end::{Identities, Scale, Shop, issue_with, runner};
use shop_auth::TokenIssuer;

/// The end-to-end suite, over HTTP.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the shop is.
    #[arg(long, default_value = "http://localhost:8000")]
    base_url: String,
    /// How much is asked of it.
    #[arg(long, value_enum, default_value_t = Scale::Full)]
    scale: Scale,
    /// Runs only the scenarios whose name contains this.
    #[arg(long, default_value = "")]
    filter: String,
    /// The issuer that the stack's functions expect in a token that is issued from `SHOP_TOKEN_SECRET`.
    #[arg(long, env = "SHOP_TOKEN_ISSUER", default_value = "")]
    token_issuer: String,
    /// The audience that they expect.
    #[arg(long, env = "SHOP_TOKEN_AUDIENCE", default_value = "")]
    token_audience: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let identities = identities(&arguments)?;
    let shop = Shop::open(&arguments.base_url, identities, arguments.scale).await?;
    let summary = runner::run(&shop, &arguments.filter, &mut stdout().lock()).await?;
    Ok(if summary.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn identities(arguments: &Arguments) -> Result<Identities> {
    if let Some(secret) = variable("SHOP_TOKEN_SECRET") {
        let (issuer, audience) = (&arguments.token_issuer, &arguments.token_audience);
        let issuer = TokenIssuer::from_secret(&secret, issuer, audience).context("SHOP_TOKEN_SECRET")?;
        let administrator = variable("SHOP_ADMINISTRATOR").context("SHOP_ADMINISTRATOR is not set")?;
        return Ok(Identities::Anybody(issue_with(issuer, administrator.parse()?)));
    }
    if let (Some(email), Some(password)) = (variable("SHOP_ADMIN_EMAIL"), variable("SHOP_ADMIN_PASSWORD")) {
        return Ok(Identities::LogIn { email, password });
    }
    Ok(variable("SHOP_ADMIN_TOKEN").map_or(Identities::Demo, Identities::Administrator))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
