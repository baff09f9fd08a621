//! The products table: keys, conditions, item mapping. Nothing else speaks DynamoDB to it.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | product | product id | `product` |
//! | stock counter | product id | `stock` |
//! | adjustment of stock under an idempotency key | `key#<hash>` | `adjustment` |
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
mod many;
mod stock;

use aws_sdk_dynamodb::Client;
use shop_dynamo::{StoreError, Table, Tries, Write};
use shop_lambda::{Environment, StartError};

pub(crate) use audit::see;
pub(crate) use catalogue::{Created, KeyedCreation};
pub use keys::Kind;
pub(crate) use many::Wanted;
pub use stock::KeyedAdjustment;

/// The products table.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table,
}

impl Store {
    /// The store in the table that `PRODUCTS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "PRODUCTS_TABLE", "pk")? })
    }

    #[must_use]
    pub(crate) fn tries(&self, kind: Kind) -> Tries {
        self.table.tries(kind.name())
    }

    /// Whether writes took effect; if not, a condition failed.
    async fn try_transact(&self, writes: impl IntoIterator<Item = Write>) -> Result<bool, StoreError> {
        Ok(self.table.transaction().writes(writes).send().await?.is_done())
    }
}
