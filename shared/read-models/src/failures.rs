//! Why consumers failed, as the journal remembers it: for whoever keeps what they gave up on.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Item, Read, Record, StoreError, Table, read, string};
use shop_lambda::{Environment, StartError};

/// The last failure of a consumer at an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConsumerFailure {
    event_id: String,
    /// How often it had tried by then.
    pub attempt: u32,
    /// Why, in a word.
    pub code: String,
    /// Why, with its causes; nothing that says who somebody is.
    #[serde(default)]
    pub error: Option<String>,
}

impl Record for ConsumerFailure {
    const KIND: &'static str = "failure of a consumer";
}

/// The failures in the table of the journal.
#[derive(Clone, Debug)]
pub struct ConsumerFailures(Table);

impl ConsumerFailures {
    /// The failures in the table that a variable names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client, variable: &str) -> Result<Self, StartError> {
        Ok(Self(Table::start(environment, client, variable, "pk")?))
    }

    /// `BatchGetItem`: what is known of a consumer's failures at some events (of what is no event: messages), by their
    /// ids; 100 at most.
    ///
    /// # Errors
    /// The call failed, or an item cannot be read.
    pub async fn of(
        &self,
        consumer: &str,
        events: &[String],
    ) -> Result<BTreeMap<String, ConsumerFailure>, StoreError> {
        if events.is_empty() {
            return Ok(BTreeMap::new());
        }
        let key = |event: &String| {
            let pk = string(format!("failure#{consumer}#{event}"));
            Item::from([("pk".to_owned(), pk), ("sk".to_owned(), string("-"))])
        };
        let wanted = self.0.wanted(events.iter().map(key).collect(), Read::Eventual);
        let found = self.0.batch_get([wanted]).await?.items_of(&self.0);
        let failures = found.into_iter().map(|item| read::<ConsumerFailure>(ConsumerFailure::KIND, item));
        failures.map(|failure| failure.map(|failure| (failure.event_id.clone(), failure))).collect()
    }
}
