//! The counters of orders: an item for each principal and window, which the table drops when the window is over.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{KeysAndAttributes, TransactWriteItem, Update};
use shop_dynamo::{Item, StoreError, number, read_attribute, string};

use crate::budget::Budget;

const KIND: &str = "count of orders";

/// The table of counters. It has no call of its own: a counter is read with the prices, and written with an order.
#[derive(Clone, Debug)]
pub struct BudgetStore {
    table: String,
}

impl BudgetStore {
    /// The counters in a table.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Self {
        Self { table: table.into() }
    }

    /// What to ask for to have a budget's counter.
    ///
    /// # Errors
    /// None for one key; the SDK's type wants one.
    pub fn wanted(&self, budget: &Budget) -> Result<(String, KeysAndAttributes), StoreError> {
        let key = HashMap::from([("id".to_owned(), string(&budget.id))]);
        let wanted = KeysAndAttributes::builder().keys(key).projection_expression("placed").build();
        Ok((self.table.clone(), wanted.map_err(StoreError::call("BatchGetItem"))?))
    }

    /// How many orders the counter has that was found; none is there before the first.
    ///
    /// # Errors
    /// The item is no counter.
    pub fn counted(&self, found: &HashMap<String, Vec<Item>>) -> Result<u32, StoreError> {
        let counter = found.get(&self.table).and_then(|items| items.first());
        counter.map_or(Ok(0), |counter| read_attribute(KIND, counter, "placed"))
    }

    /// The write that counts so many orders, if they are within the budget.
    ///
    /// # Errors
    /// None for a whole update; the SDK's type wants one.
    pub fn add(&self, budget: &Budget, count: u32) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", string(&budget.id))
            .update_expression("SET expires_at = :end ADD placed :count")
            .condition_expression("attribute_not_exists(placed) OR placed <= :room")
            .expression_attribute_values(":end", number(budget.ends_at))
            .expression_attribute_values(":count", number(count))
            .expression_attribute_values(":room", number(i64::from(budget.limit) - i64::from(count)));
        let update = update.build().map_err(StoreError::call("TransactWriteItems"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
