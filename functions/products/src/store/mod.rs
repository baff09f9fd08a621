//! The products table: keys, conditions, item mapping. The only place that speaks DynamoDB.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | product | product id | `product` |
//! | stock counter | product id | `stock` |
//! | adjustment of stock under an idempotency key | product id | `adjustment#<hash>` |
//! | entry of the reservation ledger | order id | `reservation` |
//!
//! The index `catalogue` (`listing`, `listed`) holds the products that are for sale, by the time they were
//! created.
//!
//! Writes are transactions even where one item would do: their client request token makes a call that the
//! SDK repeats, because an answer was lost, take effect once. A condition on a version alone would take its
//! own first try for somebody else's.

mod audit;
mod catalogue;
mod keys;
mod ledger;
mod shelf;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;
use data_encoding::HEXLOWER;
use shop_dynamo::{Item, StoreError, TransactionOutcome, batch_get_items, outcome};
use shop_lambda::{Environment, Random, StartError};

pub(crate) use audit::see;
pub use catalogue::{Catalogued, Position};
pub use keys::Kind;
pub use shelf::KeyedAdjustment;

/// Pauses before the next tries of a transaction that met another at the same item. A transaction takes about
/// 10 ms.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// The products table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    random: Random,
}

impl Store {
    /// The store in the table that `PRODUCTS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn new(client: Client, environment: &Environment) -> Result<Self, StartError> {
        let table = environment.required("PRODUCTS_TABLE")?.to_owned();
        Ok(Self { client, table, random: environment.random() })
    }

    /// Carries out a transaction, with a few more tries where it meets another.
    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<TransactionOutcome, StoreError> {
        let mut pauses = PAUSES.iter();
        loop {
            // A new token each time: a cancelled transaction is settled, and this is another one.
            let token = HEXLOWER.encode(&self.random.bytes::<16>());
            let request = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            let ended = outcome(request.client_request_token(token).send().await)?;
            match (ended, pauses.next()) {
                (TransactionOutcome::Cancelled(cancelled), _) if cancelled.reasons.is_empty() => {
                    // Our own earlier try is still being carried out, so how it ends is not known.
                    return Err(StoreError::Contended { kind: "product" });
                }
                (TransactionOutcome::Cancelled(cancelled), Some(pause)) if cancelled.is_conflict() => {
                    tokio::time::sleep(*pause).await;
                }
                (ended, _) => return Ok(ended),
            }
        }
    }

    /// Whether a transaction took effect; if not, a condition failed, or others kept being in the way.
    async fn try_transact(&self, items: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        Ok(matches!(self.transact(items).await?, TransactionOutcome::Done))
    }

    /// The items that are there of these keys, in any order.
    async fn get_many(&self, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        batch_get_items(&self.client, &self.table, keys).await
    }
}
