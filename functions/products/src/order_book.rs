//! The orders, as far as the reservations must agree with them: a read of another service's table
//! (docs/decisions/0010).
//!
//! It must read nothing else there, and write nothing. Only verify-stock may use it.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{ScanPages, StoreError, read, read_or_key, string};
use shop_events::{OrderStatus, ReservedLine};
use shop_types::{OrderId, Timestamp};

const KIND: &str = "order";
const ATTRIBUTES: &str = "id, #status, #version, #lines, placed_at, updated_at";

/// The orders table, for reading.
#[derive(Clone, Debug)]
pub struct OrderBook {
    client: Client,
    table: String,
}

/// What is read of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BookedOrder {
    /// Its id.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// One more with every change.
    pub version: u64,
    /// What it asks for.
    pub lines: Vec<ReservedLine>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// All orders, page by page.
#[derive(Debug)]
pub struct BookPages(ScanPages);

impl OrderBook {
    /// The book in a table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// All orders.
    #[must_use]
    pub fn pages(&self) -> BookPages {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        BookPages(ScanPages::of(
            scan.projection_expression(ATTRIBUTES)
                .expression_attribute_names("#status", "status")
                .expression_attribute_names("#version", "version")
                .expression_attribute_names("#lines", "lines"),
        ))
    }

    /// An order as it is now.
    ///
    /// # Errors
    /// DynamoDB failed, or the item cannot be read.
    pub async fn get(&self, id: &OrderId) -> Result<Option<BookedOrder>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("id", string(id.as_str()));
        let get = get
            .consistent_read(true)
            .projection_expression(ATTRIBUTES)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#lines", "lines");
        let answer = get.send().await.map_err(StoreError::call("GetItem"))?;
        answer.item.map(|item| read(KIND, item)).transpose()
    }
}

impl BookPages {
    /// The next page; none behind the last. An item that cannot be read is told by its key.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn next(&mut self) -> Result<Option<Vec<Result<BookedOrder, String>>>, StoreError> {
        let Some(items) = self.0.next().await? else { return Ok(None) };
        Ok(Some(items.into_iter().map(|item| read_or_key(&["id"], item)).collect()))
    }
}
