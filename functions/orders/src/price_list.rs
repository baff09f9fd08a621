//! The catalogue's prices, read from the products table, which is another service's (docs/decisions/0004).
//!
//! It must read nothing else there, and write nothing. What an order needs besides is read along: a counter of this
//! service's own, and the standing of an account.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Attribute, Batch, Item, Read, Record, StoreError, Table, Wanted, read};
use shop_lambda::{Environment, StartError};
use shop_types::{Money, ProductId, Timestamp};

use crate::pricing::{Catalogue, ListedPrice};

/// The products table, for prices only.
#[derive(Clone, Debug)]
pub(crate) struct PriceList {
    table: Table,
}

#[derive(Deserialize)]
struct PriceItem {
    pk: ProductId,
    name: String,
    price: Money,
    /// A product that is deleted stays as a tombstone.
    deleted_at: Option<Timestamp>,
}

impl Record for PriceItem {
    const KIND: &'static str = "product's price";
}

impl PriceList {
    /// The price list in the table that `PRODUCTS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "PRODUCTS_TABLE", "pk")? })
    }

    /// The prices of these products, and the items of other tables that are `also` wanted: 100 in all at most, each
    /// once, in one call. What does not exist is left out.
    ///
    /// The read is eventually consistent, at half the price: a price that changes at this very moment may
    /// go either way, and the order says which it took.
    pub(crate) async fn prices<'a>(
        &self,
        products: impl Iterator<Item = &'a ProductId>,
        also: Vec<Wanted>,
    ) -> Result<(Catalogue, Batch), StoreError> {
        let key = |id: &ProductId| {
            Item::from([
                ("pk".to_owned(), id.into_attribute()),
                ("sk".to_owned(), "product".into_attribute()),
            ])
        };
        let wanted = self.table.wanted(products.map(key).collect(), Read::Eventual);
        let wanted = wanted.only(&["pk", "name", "price", "deleted_at"]);
        let mut found = self.table.batch_get([wanted].into_iter().chain(also)).await?;
        let mut prices = BTreeMap::new();
        for item in found.items_of(&self.table) {
            let item: PriceItem = read(PriceItem::KIND, item)?;
            if item.deleted_at.is_none() {
                prices.insert(item.pk, ListedPrice { name: item.name, price: item.price });
            }
        }
        Ok((prices, found))
    }
}
