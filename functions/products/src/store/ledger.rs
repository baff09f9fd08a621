//! The books of reserve-stock in the table: read as a whole for a batch, written one transaction at a time.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use shop_dynamo::{Assignment, Item, StoreError, number, read, string};
use shop_types::ProductId;

use super::Store;
use super::catalogue::kind_of;
use super::keys::{Kind, unsigned};
use crate::plan::{Books, Demand, Entry, Move, Moves, Step};
use crate::reservation::Reservation;
use crate::stock::Stock;

const OPERATION: &str = "TransactWriteItems";

impl Store {
    /// The ledger's entries and the counters that some demands touch, as of this moment.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn books(&self, demands: &[Demand]) -> Result<Books, StoreError> {
        let mut products: Vec<ProductId> =
            demands.iter().flat_map(|demand| demand.quantities().into_keys()).collect();
        products.sort_unstable();
        products.dedup();
        let mut keys = entry_keys(demands.iter());
        keys.extend(products.iter().map(|product| Kind::Stock.key(product.as_str())));
        let mut books = Books::default();
        enter(&mut books, self.get_many(keys).await?)?;
        // The entry of a large order must be read after its counters: see `Step::Claim`.
        let again = entry_keys(demands.iter().filter(|demand| demand.is_large()));
        if !again.is_empty() {
            enter(&mut books, self.get_many(again).await?)?;
        }
        Ok(books)
    }

    /// Carries out a step of a plan; whether it took effect. If not, the books are not what they were.
    ///
    /// # Errors
    /// DynamoDB failed; whether the step took effect is not known then, and the books tell.
    pub async fn carry_out(&self, step: &Step) -> Result<bool, StoreError> {
        let mut items = Vec::new();
        match step {
            Step::Settle { moves, entries } => {
                self.add_moves(&mut items, moves, None)?;
                for entry in entries {
                    items.push(self.put_entry(entry)?);
                }
            }
            Step::Claim { moves, keeper, keeper_version, reservation } => {
                self.add_moves(&mut items, moves, Some((keeper, *keeper_version, reservation)))?;
            }
            Step::Complete { keeper, entry } => {
                items.push(self.put_entry(entry)?);
                items.push(self.take_claim(keeper, &entry.reservation)?);
            }
            Step::Retell { entries } => {
                for entry in entries {
                    items.push(self.retell(entry)?);
                }
            }
        }
        self.try_transact(items).await
    }

    fn add_moves(
        &self,
        items: &mut Vec<TransactWriteItem>,
        moves: &Moves,
        claim: Option<(&ProductId, u64, &Reservation)>,
    ) -> Result<(), StoreError> {
        for (product, change) in moves {
            let mut update = self.counter(product).expression_attribute_values(":one", number(1));
            let mut condition = condition_of(change).to_owned();
            let mut set = "available = available - :net, reserved = reserved + :net, \
                           version = version + :one, updated_at = :now"
                .to_owned();
            update = update
                .expression_attribute_values(":net", number(change.net))
                .expression_attribute_values(":now", number(change.at.as_millis()));
            if change.net <= 0 {
                update = update.expression_attribute_values(":back", unsigned(change.net.unsigned_abs()));
            }
            let cause = Assignment::of(&change.cause.attributes());
            if let Some((_, version, reservation)) = claim.filter(|(keeper, ..)| *keeper == product) {
                set.push_str(", claim = :claim");
                condition.push_str(" AND version = :version AND attribute_not_exists(claim)");
                let claim = serde_dynamo::to_attribute_value(reservation);
                let claim = claim.map_err(|source| corrupt(Kind::Reservation, source))?;
                update = update
                    .expression_attribute_values(":claim", claim)
                    .expression_attribute_values(":version", unsigned(version));
            }
            let expression = cause.expression(&set);
            for (name, value) in cause.values {
                update = update.expression_attribute_values(name, value);
            }
            items.push(transact(update.update_expression(expression).condition_expression(condition))?);
        }
        Ok(())
    }

    fn put_entry(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let item = Kind::Reservation.item(&entry.reservation)?;
        let condition = match entry.replaces {
            Some(_) => "version = :before",
            None => "attribute_not_exists(pk)",
        };
        self.put(item, condition, entry.replaces)
    }

    fn retell(&self, entry: &Reservation) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Kind::Reservation.key(entry.order_id.as_str())))
            .update_expression("SET retold = :next")
            .expression_attribute_values(":next", unsigned(entry.retold + 1))
            .expression_attribute_values(":version", unsigned(entry.version));
        transact(if entry.retold == 0 {
            update.condition_expression("version = :version AND attribute_not_exists(retold)")
        } else {
            update
                .condition_expression("version = :version AND retold = :read")
                .expression_attribute_values(":read", unsigned(entry.retold))
        })
    }

    /// The counter's figures stay, and so does its version.
    fn take_claim(&self, keeper: &ProductId, claim: &Reservation) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .counter(keeper)
            .update_expression("REMOVE claim")
            .condition_expression("claim.pk = :order AND claim.version = :version")
            .expression_attribute_values(":order", string(claim.order_id.as_str()))
            .expression_attribute_values(":version", unsigned(claim.version));
        transact(update)
    }

    fn counter(&self, product: &ProductId) -> UpdateBuilder {
        Update::builder().table_name(&self.table).set_key(Some(Kind::Stock.key(product.as_str())))
    }
}

/// What must hold for a move to leave no figure below zero, no stock of a deleted product reserved, and no counter
/// with a time before the one that it had.
fn condition_of(change: &Move) -> &'static str {
    if change.net > 0 {
        "available >= :net AND attribute_not_exists(deleted_at) AND updated_at <= :now"
    } else {
        "reserved >= :back AND updated_at <= :now"
    }
}

fn transact(update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(StoreError::call(OPERATION))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn entry_keys<'a>(
    demands: impl Iterator<Item = &'a Demand>,
) -> Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>> {
    demands.map(|demand| Kind::Reservation.key(demand.order_id.as_str())).collect()
}

fn enter(books: &mut Books, items: Vec<Item>) -> Result<(), StoreError> {
    for item in items {
        match kind_of(&item) {
            Some(kind @ Kind::Reservation) => {
                let reservation: Reservation = read(kind.name(), item)?;
                books.reservations.insert(reservation.order_id.clone(), reservation);
            }
            Some(kind @ Kind::Stock) => {
                let stock: Stock = read(kind.name(), item)?;
                books.stocks.insert(stock.product_id.clone(), stock);
            }
            _ => {}
        }
    }
    Ok(())
}

fn corrupt(kind: Kind, source: serde_dynamo::Error) -> StoreError {
    StoreError::Corrupt { kind: kind.name(), source: source.into() }
}
