//! `cargo xtask emulator e2e`: the conformance checks, the end-to-end suite through the gateway,
//! `cargo lambda watch`; and the storefront in a browser.

use anyhow::Result;

use super::{Emulator, Stack, up, with_emulator};
use crate::e2e::{Scale, suite};
use crate::project::Project;
use crate::{acceptance, admin, conformance, pages, watch};

/// Deploys this checkout into the emulator, runs the checks, and takes it down again unless it was up before.
///
/// # Errors
/// When a step or a test fails.
pub(crate) fn e2e(project: &Project, emulator: &Emulator) -> Result<()> {
    if emulator.is_up()? {
        let base_url = up(project, emulator)?;
        return checks(project, emulator, &base_url);
    }
    with_emulator(project, emulator, |base_url| checks(project, emulator, base_url))
}

/// The checks of an emulator that is up.
///
/// # Errors
/// When one fails.
pub(crate) fn checks(project: &Project, emulator: &Emulator, base_url: &str) -> Result<()> {
    acceptance::first_order(project, base_url)?;
    // Before the suite: a service that differs explains what fails there.
    conformance::conformance(project, Some(&emulator.endpoint()), Some("ministack"))?;
    let stack = emulator.stack(project)?;
    // With the secret the suite can also be customers, and not only the gateway's administrator.
    let identity = [
        ("SHOP_ADMINISTRATOR", Stack::administrator(project, emulator)?),
        ("SHOP_TOKEN_SECRET", Stack::token_secret(project, emulator)?),
        ("SHOP_TOKEN_ISSUER", stack.output("TokenIssuer")?.to_owned()),
        ("SHOP_TOKEN_AUDIENCE", stack.output("TokenAudience")?.to_owned()),
    ];
    suite(project, base_url, Scale::Emulator, &identity)?;
    pages::storefront(project, base_url)?;
    admin::check(project, emulator)?;
    watch::check(project, emulator)
}
