//! The stock state of reserve-stock in the table: read as a whole for a batch, written one transaction at a time.

use shop_dynamo::{Condition, Item, Put, StoreError, Update, Write, read, value};
use shop_types::ProductId;

use super::Store;
use super::keys::Kind;
use crate::plan::{Entry, ReservationRequest, Step, StockDelta, StockDeltas, StockState};
use crate::reservation::Reservation;
use crate::stock::Stock;
use crate::watch::Crossing;

impl Store {
    /// The ledger's entries and the counters that some requests touch, as of this moment.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn stock_state(&self, requests: &[ReservationRequest]) -> Result<StockState, StoreError> {
        let mut products: Vec<ProductId> =
            requests.iter().flat_map(|request| request.quantities().into_keys()).collect();
        products.sort_unstable();
        products.dedup();
        let mut keys = entry_keys(requests.iter());
        keys.extend(products.iter().map(|product| Kind::Stock.key(product.as_str())));
        let mut state = StockState::default();
        enter(&mut state, self.table.get_all(&keys).await?)?;
        // The entry of a large order must be read after its counters: see `Step::Claim`.
        let again = entry_keys(requests.iter().filter(|request| request.is_large()));
        if !again.is_empty() {
            enter(&mut state, self.table.get_all(&again).await?)?;
        }
        Ok(state)
    }

    /// Carries out a step of a plan; whether it took effect. If not, the stock state is not what it was.
    ///
    /// # Errors
    /// DynamoDB failed; whether the step took effect is not known then; the next read shows it.
    pub async fn carry_out(&self, step: &Step) -> Result<bool, StoreError> {
        let mut writes: Vec<Write> = Vec::new();
        match step {
            Step::Settle { deltas, entries } => {
                writes.extend(self.deltas(deltas, None)?);
                for entry in entries {
                    writes.push(self.put_entry(entry)?.into());
                }
            }
            Step::Claim { deltas, coordinator, coordinator_version, reservation } => {
                writes.extend(self.deltas(deltas, Some((coordinator, *coordinator_version, reservation)))?);
            }
            Step::Complete { coordinator, entry } => {
                writes.push(self.put_entry(entry)?.into());
                writes.push(self.take_claim(coordinator, &entry.reservation).into());
            }
            Step::ReEmit { entries } => writes.extend(entries.iter().map(|entry| self.re_emit(entry).into())),
        }
        self.try_transact(writes).await
    }

    /// The writes of some deltas; with a claim, its coordinator's counter takes it.
    fn deltas(
        &self,
        deltas: &StockDeltas,
        claim: Option<(&ProductId, u64, &Reservation)>,
    ) -> Result<Vec<Write>, StoreError> {
        let write = |(product, change): (&ProductId, &StockDelta)| {
            let update = self
                .counter(product)
                .add("available", -change.net)
                .add("reserved", change.net)
                .add("version", 1)
                .set("updated_at", change.at)
                .set_or_remove(&change.cause.attributes());
            let (update, condition) = self::watched(update, condition_of(change), change)?;
            let update = match claim.filter(|(coordinator, ..)| *coordinator == product) {
                None => update.only_if(condition),
                Some((_, version, reservation)) => {
                    let is_free = Condition::equals("version", version).and(Condition::absent("claim"));
                    let claim = value(Kind::Reservation.name(), reservation)?;
                    update.set("claim", claim).only_if(condition.and(is_free))
                }
            };
            Ok(update.into())
        };
        deltas.iter().map(write).collect()
    }

    fn put_entry(&self, entry: &Entry) -> Result<Put, StoreError> {
        let put = self.table.put(Kind::Reservation.item(&entry.reservation)?);
        Ok(match entry.replaces {
            Some(version) => put.only_if(Condition::equals("version", version)),
            None => put.if_new(),
        })
    }

    fn re_emit(&self, entry: &Reservation) -> Update {
        let as_read = match entry.re_emits {
            0 => Condition::absent("re_emits"),
            re_emits => Condition::equals("re_emits", re_emits),
        };
        self.table
            .update(Kind::Reservation.key(entry.order_id.as_str()))
            .set("re_emits", entry.re_emits + 1)
            .only_if(Condition::equals("version", entry.version).and(as_read))
    }

    /// The counter's figures stay, and so does its version.
    fn take_claim(&self, coordinator: &ProductId, claim: &Reservation) -> Update {
        let is_kept = Condition::of("claim.pk = :order AND claim.version = :version")
            .with("order", &claim.order_id)
            .with("version", claim.version);
        self.counter(coordinator).remove("claim").only_if(is_kept)
    }

    fn counter(&self, product: &ProductId) -> Update {
        self.table.update(Kind::Stock.key(product.as_str()))
    }
}

/// The move of a counter that is watched: it crosses what the plan says, or is refused.
fn watched(
    update: Update,
    condition: Condition,
    change: &StockDelta,
) -> Result<(Update, Condition), StoreError> {
    let attribute = |watch| value(Kind::Stock.name(), watch);
    Ok(match &change.crossing {
        Crossing::Unwatched => (update, condition),
        Crossing::Nothing { watch, available } => {
            let stays = Condition::of("available BETWEEN :least AND :most")
                .with("least", *available.start())
                .with("most", *available.end())
                .and(Condition::equals("watch", attribute(watch)?));
            (update, condition.and(stays))
        }
        Crossing::To { version, watch } => {
            (update.set("watch", attribute(watch)?), condition.and(Condition::equals("version", *version)))
        }
    })
}

/// What must hold for a move to leave no figure below zero, no stock of a deleted product reserved, and no counter
/// with a time before the one that it had.
fn condition_of(change: &StockDelta) -> Condition {
    let in_time = Condition::of("updated_at <= :now").with("now", change.at);
    if change.net > 0 {
        let is_there = Condition::of("available >= :net").with("net", change.net);
        is_there.and(Condition::absent("deleted_at")).and(in_time)
    } else {
        // A deletion is told of with its own time.
        let in_time = in_time.and(Condition::of("(attribute_not_exists(deleted_at) OR deleted_at <= :now)"));
        Condition::of("reserved >= :back").with("back", change.net.unsigned_abs()).and(in_time)
    }
}

fn entry_keys<'a>(requests: impl Iterator<Item = &'a ReservationRequest>) -> Vec<Item> {
    requests.map(|request| Kind::Reservation.key(request.order_id.as_str())).collect()
}

fn enter(state: &mut StockState, items: Vec<Item>) -> Result<(), StoreError> {
    for item in items {
        match Kind::of_item(&item) {
            Some(kind @ Kind::Reservation) => {
                let reservation: Reservation = read(kind.name(), item)?;
                state.reservations.insert(reservation.order_id.clone(), reservation);
            }
            Some(kind @ Kind::Stock) => {
                let stock: Stock = read(kind.name(), item)?;
                state.stocks.insert(stock.product_id.clone(), stock);
            }
            _ => {}
        }
    }
    Ok(())
}
