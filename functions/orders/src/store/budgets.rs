//! The counters of orders: an item for each principal and window, which the table drops when the window is over.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Batch, Condition, Item, Read, Record, StoreError, Table, Update, Wanted, string};
use shop_lambda::{Environment, StartError};

use crate::budget::Budget;

/// The table of counters. It has no call of its own: a counter is read with the prices, and written with an order.
#[derive(Clone, Debug)]
pub(crate) struct BudgetStore {
    table: Table,
}

/// A counter, as far as it is read.
#[derive(Deserialize)]
struct Counter {
    placed: u32,
}

impl Record for Counter {
    const KIND: &'static str = "count of orders";
}

impl BudgetStore {
    /// The counters in the table that `ORDER_BUDGETS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "ORDER_BUDGETS_TABLE", "id")? })
    }

    /// What to ask for to have a budget's counter.
    #[must_use]
    pub(crate) fn wanted(&self, budget: &Budget) -> Wanted {
        self.table.wanted(vec![key(budget)], Read::Eventual).only(&["placed"])
    }

    /// How many orders the counter has that was found; none is there before the first.
    pub(crate) fn counted(&self, found: &mut Batch) -> Result<u32, StoreError> {
        Ok(found.one_of(&self.table)?.map_or(0, |counter: Counter| counter.placed))
    }

    /// The write that counts so many orders, if they are within the budget.
    #[must_use]
    pub(crate) fn add(&self, budget: &Budget, count: u32) -> Update {
        let room = i64::from(budget.limit) - i64::from(count);
        let update = self.table.update(key(budget)).set("expires_at", budget.ends_at).count("placed", count);
        update.only_if(Condition::of("attribute_not_exists(placed) OR placed <= :room").with("room", room))
    }
}

fn key(budget: &Budget) -> Item {
    Item::from([("id".to_owned(), string(&budget.id))])
}
