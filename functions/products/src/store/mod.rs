//! The products table: keys, conditions, item mapping. The only place that speaks DynamoDB.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | product | product id | `product` |
//! | stock counter | product id | `stock` |
//! | adjustment of stock under an idempotency key | product id | `adjustment#<hash>` |
//! | creation under an idempotency key | `key#<hash>` | `creation` |
//! | entry of the reservation ledger | order id | `reservation` |
//!
//! Six indexes hold the products that are for sale: `catalogue`, `catalogue-by-name` and `catalogue-by-price` all of
//! them, and `category`, `category-by-name` and `category-by-price` each category's.
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

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;
use shop_dynamo::{Item, StoreError, TransactionOutcome, batch_get_items, transact};
use shop_lambda::{Environment, Random, StartError};

pub(crate) use audit::see;
pub use catalogue::{Catalogued, Created, KeyedCreation};
pub use keys::Kind;
pub use shelf::KeyedAdjustment;

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

    /// Whether a transaction took effect; if not, a condition failed, or others kept being in the way.
    async fn try_transact(&self, items: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        Ok(matches!(transact(&self.client, &self.random, items).await?, TransactionOutcome::Done))
    }

    /// The items that are there of these keys, in any order.
    async fn get_many(&self, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        batch_get_items(&self.client, &self.table, keys).await
    }
}
