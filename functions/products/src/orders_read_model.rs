//! The orders, as far as the reservations must agree with them. Only verify-stock may read them.

use serde::Deserialize;
use shop_events::ReservedLine;
use shop_read_models::OrderDetail;

pub(crate) type OrdersReadModel = shop_read_models::OrdersReadModel<Demand>;
pub(crate) type OrderRecord = shop_read_models::OrderRecord<Demand>;

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Demand {
    pub(crate) lines: Vec<ReservedLine>,
}

impl OrderDetail for Demand {
    const ATTRIBUTES: &'static [&'static str] = &["lines"];
}
