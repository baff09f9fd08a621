//! What SES knows of the account: who may send, who may be sent to, and what becomes of a message.

use std::collections::BTreeSet;

use crate::cloud::AwsError;
use crate::template::{REGION, Template};

/// The domain of SES's mailbox simulator, whose addresses play recipients
/// (<https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html>).
const SIMULATOR: &str = "simulator.amazonses.com";

/// The account's settings in SES.
#[derive(Clone, Debug, Default)]
pub struct MailAccount {
    /// The identities that are verified: addresses and domains. Without a list, those that a function of the template
    /// may send from.
    pub verified: Option<BTreeSet<String>>,
    /// Whether the account is still in the sandbox, in which recipients must be verified too.
    pub in_sandbox: bool,
    /// The addresses of the account's suppression list.
    pub suppressed: BTreeSet<String>,
}

/// What becomes of a message to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The recipient's server takes it.
    Delivered,
    /// The recipient's server refuses it for good.
    Bounced,
    /// The recipient calls it spam.
    Complained,
    /// SES does not try: the address has bounced before.
    Suppressed {
        /// What its event calls the list.
        by: &'static str,
    },
}

#[derive(Debug)]
pub(super) struct Identities {
    verified: BTreeSet<String>,
    account: MailAccount,
}

impl Identities {
    pub(super) fn of(template: &Template, account: MailAccount) -> Self {
        let grants = template.functions.values().flat_map(|function| function.grants.iter());
        let granted =
            grants.filter_map(|(_, resource)| resource.strip_prefix("identity/")).map(str::to_owned);
        let verified = account.verified.clone().unwrap_or_else(|| granted.collect());
        Self { verified, account }
    }

    /// The verified identity that an address belongs to: its own, or its domain's.
    pub(super) fn of_sender<'a>(&'a self, address: &str) -> Option<&'a String> {
        self.verified.get(address).or_else(|| self.verified.get(domain_of(address)))
    }

    /// Refuses a message whose sender is not verified, or whose recipient is not, where that matters.
    pub(super) fn check(&self, sender: &str, to: &[String]) -> Result<(), AwsError> {
        let is_verified =
            |address: &str| self.of_sender(address).is_some() || domain_of(address) == SIMULATOR;
        let recipients = to.iter().map(String::as_str).filter(|_| self.account.in_sandbox);
        let failed: Vec<_> = [sender].into_iter().chain(recipients).filter(|one| !is_verified(one)).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let (region, failed) = (REGION.to_uppercase(), failed.join(", "));
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {region}: {failed}"
        );
        Err(AwsError::client("MessageRejected", message))
    }

    pub(super) fn fate(&self, address: &str) -> Fate {
        if self.account.suppressed.contains(address) {
            return Fate::Suppressed { by: "OnAccountSuppressionList" };
        }
        // `bounce+label@...` is the same recipient.
        let local = address.split('@').next().unwrap_or_default();
        match (domain_of(address), local.split('+').next().unwrap_or_default()) {
            (SIMULATOR, "bounce") => Fate::Bounced,
            (SIMULATOR, "complaint") => Fate::Complained,
            (SIMULATOR, "suppressionlist") => Fate::Suppressed { by: "Suppressed" },
            _ => Fate::Delivered,
        }
    }
}

pub(super) fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}
