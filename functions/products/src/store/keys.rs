//! The kinds of items in the products table, and their keys.

use serde::Serialize;
use shop_dynamo::{Item, Record, StoreError, string, write};

use super::{KeyedAdjustment, KeyedCreation};
use crate::product::Product;
use crate::reservation::Reservation;
use crate::stock::Stock;

/// What an item is, by its sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A product's description and price, or its tombstone.
    Product,
    /// A product's stock counter.
    Stock,
    /// An order's entry in the reservation ledger.
    Reservation,
    /// An adjustment of stock that came with an idempotency key.
    Adjustment,
    /// The creation of a product that came with an idempotency key.
    Creation,
    /// How far a verification is.
    Checkpoint,
}

impl Kind {
    /// The kind with this sort key.
    #[must_use]
    pub fn of(sort_key: &str) -> Option<Self> {
        match sort_key {
            "product" => Some(Self::Product),
            "stock" => Some(Self::Stock),
            "reservation" => Some(Self::Reservation),
            "creation" => Some(Self::Creation),
            "adjustment" => Some(Self::Adjustment),
            "checkpoint" => Some(Self::Checkpoint),
            _ => None,
        }
    }

    /// What errors and logs call it.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Stock => "stock counter",
            Self::Reservation => "reservation",
            Self::Adjustment => "adjustment",
            Self::Creation => "creation",
            Self::Checkpoint => "checkpoint",
        }
    }

    pub(super) fn of_item(item: &Item) -> Option<Self> {
        Self::of(item.get("sk")?.as_s().ok()?)
    }

    /// The sort key of the kinds of which a partition has one.
    pub(super) const fn sort_key(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Stock => "stock",
            Self::Reservation => "reservation",
            Self::Adjustment => "adjustment",
            Self::Creation => "creation",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// The key of the item of this kind that belongs to a product or an order.
    pub(super) fn key(self, id: &str) -> Item {
        key(id, self.sort_key())
    }

    /// The item of a value whose `pk` is part of it.
    pub(super) fn item<T: Serialize>(self, value: &T) -> Result<Item, StoreError> {
        let mut item = write(self.name(), value)?;
        item.insert("sk".to_owned(), string(self.sort_key()));
        Ok(item)
    }
}

/// The partition of what was done under an idempotency key, by the key's hash: no product's id has a `#`.
pub(super) fn keyed(key_hash: &str) -> String {
    format!("key#{key_hash}")
}

pub(super) fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

macro_rules! records {
    ($($record:ident is $kind:ident),* $(,)?) => {
        $(impl Record for $record {
            const KIND: &'static str = Kind::$kind.name();
        })*
    };
}
records!(
    Product is Product,
    Stock is Stock,
    Reservation is Reservation,
    KeyedAdjustment is Adjustment,
    KeyedCreation is Creation,
);
