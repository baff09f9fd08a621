//! The catalogue's prices: the one read of another service's table (docs/decisions/0004).
//!
//! It must read nothing else there, and write nothing. What an order needs besides is read along: a counter of this
//! service's own, and the standing of an account.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde::Deserialize;
use shop_dynamo::{Item, StoreError, batch_get, read, string};
use shop_types::{Currency, Money, ProductId};

use crate::pricing::{Catalogue, ListedPrice};

/// The products table, for prices only.
#[derive(Clone, Debug)]
pub struct PriceList {
    client: Client,
    table: String,
}

/// What is read of a product.
#[derive(Deserialize)]
struct PriceItem {
    pk: ProductId,
    name: String,
    price: i64,
    currency: Currency,
    /// A product that is deleted stays as a tombstone.
    deleted_at: Option<i64>,
}

impl PriceList {
    /// The price list in a table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The prices of these products, and the items of other tables that are `also` wanted, by table: 100 in all at
    /// most, each once, in one call. What does not exist is left out.
    ///
    /// The read is eventually consistent, at half the price: a price that changes at this very moment may
    /// go either way, and the order says which it took.
    ///
    /// # Errors
    /// DynamoDB failed, or kept throttling.
    pub async fn prices<'a>(
        &self,
        products: impl Iterator<Item = &'a ProductId>,
        also: Vec<(String, KeysAndAttributes)>,
    ) -> Result<(Catalogue, HashMap<String, Vec<Item>>), StoreError> {
        let keys = products
            .map(|id| HashMap::from([("pk".into(), string(id.as_str())), ("sk".into(), string("product"))]));
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .projection_expression("pk, #name, price, currency, deleted_at")
            .expression_attribute_names("#name", "name")
            .build()
            .map_err(StoreError::call("BatchGetItem"))?;
        let wanted = [(self.table.clone(), wanted)].into_iter().chain(also);
        let mut found = batch_get(&self.client, wanted).await?;
        let mut prices = BTreeMap::new();
        for item in found.remove(&self.table).unwrap_or_default() {
            let item: PriceItem = read("product's price", item)?;
            if item.deleted_at.is_none() {
                let price = Money { minor: item.price, currency: item.currency };
                prices.insert(item.pk, ListedPrice { name: item.name, price });
            }
        }
        Ok((prices, found))
    }
}
