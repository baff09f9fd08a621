//! The queues of the consumers whose dead letters are kept, as a variable names them.

use std::collections::{BTreeMap, BTreeSet};

use shop_lambda::{Environment, StartError};

/// The URL of each consumer's queue, or of its dead-letter queue, from a variable like
/// `settle-order=https://... send-email=https://...`.
pub(crate) fn read(
    environment: &Environment,
    variable: &str,
) -> Result<BTreeMap<String, String>, StartError> {
    let pairs = environment.required(variable)?.split_whitespace();
    let pair = |pair: &str| pair.split_once('=').map(|(name, url)| (name.to_owned(), url.to_owned()));
    pairs.map(pair).collect::<Option<_>>().ok_or_else(|| StartError::InvalidVariable {
        name: variable.to_owned(),
        expected: "a list of queues: consumer=URL consumer=URL",
    })
}

/// The consumers whose letters are kept, and can be sent again: those that `CONSUMER_QUEUES` names.
pub(crate) fn consumers(environment: &Environment) -> Result<BTreeSet<String>, StartError> {
    Ok(read(environment, "CONSUMER_QUEUES")?.into_keys().collect())
}
