//! The orders, as far as the statistics must agree with them. Only verify-user-stats may read them.

use serde::Deserialize;
use shop_read_models::OrderDetail;
use shop_types::{Money, UserId};

pub(crate) type OrdersReadModel = shop_read_models::OrdersReadModel<Purchase>;
pub(crate) type OrderRecord = shop_read_models::OrderRecord<Purchase>;

/// Who bought, and for how much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Purchase {
    /// Absent for a guest.
    pub(crate) customer_id: Option<UserId>,
    pub(crate) total: Money,
}

impl OrderDetail for Purchase {
    const ATTRIBUTES: &'static [&'static str] = &["customer_id", "total"];
}
