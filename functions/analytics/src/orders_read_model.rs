//! The orders, as far as the ledger must agree with them. Only verify-sales may read them.

use serde::Deserialize;
use shop_events::OrderStatus;
use shop_read_models::OrderDetail;
use shop_types::Money;

use crate::fact::{Fact, FactKind, FactLine, Sold, facts};

pub(crate) type OrdersReadModel = shop_read_models::OrdersReadModel<Sale>;
pub(crate) type OrderRecord = shop_read_models::OrderRecord<Sale>;

/// What was sold, and for how much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Sale {
    pub(crate) total: Money,
    pub(crate) lines: Vec<FactLine>,
}

impl OrderDetail for Sale {
    const ATTRIBUTES: &'static [&'static str] = &["total", "lines"];
}

/// The version of an order that was cancelled before it was confirmed.
const CANCELLED_WHILE_PENDING: u64 = 2;

/// The facts that the ledger must have of an order, and those that it must not; nothing is said as long as it is
/// pending.
pub(crate) fn expected(order: &OrderRecord) -> (Vec<Fact>, Vec<Fact>) {
    let sold = Sold {
        order_id: order.id.clone(),
        currency: order.detail.total.currency,
        total: order.detail.total.minor,
        lines: order.detail.lines.clone(),
    };
    let confirmed = || facts(&sold, FactKind::Confirmed, order.placed_at);
    // An order that is cancelled changes no more, so it changed last when it was.
    let cancelled = || facts(&sold, FactKind::Cancelled, order.updated_at);
    match order.status {
        OrderStatus::Pending => (Vec::new(), Vec::new()),
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => (confirmed(), Vec::new()),
        OrderStatus::Rejected => (Vec::new(), confirmed()),
        OrderStatus::Cancelled if order.version <= CANCELLED_WHILE_PENDING => {
            (Vec::new(), [confirmed(), cancelled()].concat())
        }
        OrderStatus::Cancelled => ([confirmed(), cancelled()].concat(), Vec::new()),
    }
}
