//! An order and its life. Pure: no AWS, no clock.
//!
//! ```text
//! pending -> confirmed -> shipped -> delivered
//! pending -> rejected
//! pending | confirmed -> cancelled
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_auth::Principal;
use shop_events::{Cause, OrderLine, OrderSnapshot, OrderStatus, RejectionReason, Shortage};
use shop_lambda::recovery::{MAX_RETRY_INTERVAL, RETRY_INTERVAL, STALLED_AFTER};
use shop_types::{Money, OrderId, Timestamp, UserId};

/// An order, as it is stored and published to other services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who placed it; absent for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// 1 when placed, one more with every change.
    pub version: u64,
    /// Its lines, each product once, at the prices of the time.
    pub lines: Vec<OrderLine>,
    /// The sum of its lines.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Why it changed last, and the request that it was, or that led to it.
    #[serde(flatten)]
    pub cause: Cause,
    /// What its carrier knows it by, if it was shipped with such a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Why it was rejected, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// How often it was found stalled. A re-emit is no change of the order: its version stays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub re_emits: u64,
    /// When it was found stalled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re_emitted_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Why an order could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    /// The reason.
    pub reason: RejectionReason,
    /// Each line that could not be had.
    pub shortages: Vec<Shortage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order cannot go from {from:?} to {to:?}")]
pub(crate) struct IllegalMove {
    pub(crate) from: OrderStatus,
    pub(crate) to: OrderStatus,
}

/// Whether an order may go from one state to another in one step.
#[must_use]
pub fn may_become(from: OrderStatus, to: OrderStatus) -> bool {
    use OrderStatus::{Cancelled, Confirmed, Delivered, Pending, Rejected, Shipped};
    matches!(
        (from, to),
        (Pending, Confirmed | Rejected | Cancelled) | (Confirmed, Shipped | Cancelled) | (Shipped, Delivered)
    )
}

/// Whether somebody may ask for a status: the others are the outcome of what the stock says.
#[must_use]
pub(crate) const fn is_set_by_hand(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Cancelled)
}

/// Every status, in the order of an order's life.
pub const ALL_STATUSES: [OrderStatus; 6] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Rejected,
    OrderStatus::Cancelled,
    OrderStatus::Shipped,
    OrderStatus::Delivered,
];

/// The name of a status, as the API, the events and the items write it.
#[must_use]
pub const fn status_name(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "pending",
        OrderStatus::Confirmed => "confirmed",
        OrderStatus::Rejected => "rejected",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Shipped => "shipped",
        OrderStatus::Delivered => "delivered",
    }
}

/// Everything that a new order consists of, but for its time.
#[derive(Debug)]
pub(crate) struct NewOrder {
    pub(crate) id: OrderId,
    /// Who places it; absent for a guest.
    pub(crate) customer_id: Option<UserId>,
    pub(crate) lines: Vec<OrderLine>,
    /// The sum of its lines.
    pub(crate) total: Money,
    /// The request that places it.
    pub(crate) cause: Cause,
}

impl Order {
    /// A new order, pending.
    #[must_use]
    pub(crate) fn place(new: NewOrder, now: Timestamp) -> Self {
        Self {
            id: new.id,
            customer_id: new.customer_id,
            status: OrderStatus::Pending,
            version: 1,
            lines: new.lines,
            total: new.total,
            placed_at: now,
            updated_at: now,
            cause: new.cause,
            tracking_number: None,
            rejection: None,
            re_emits: 0,
            re_emitted_at: None,
        }
    }

    /// This order, moved to another state by a request, to which its event is traced, and to nothing else; with what its
    /// carrier knows it by where it is shipped.
    ///
    /// # Errors
    /// [`IllegalMove`] where the table has no such step.
    pub(crate) fn moved(
        &self,
        to: OrderStatus,
        tracking_number: Option<String>,
        now: Timestamp,
        cause: Cause,
    ) -> Result<Self, IllegalMove> {
        if !may_become(self.status, to) {
            return Err(IllegalMove { from: self.status, to });
        }
        let mut order = self.clone();
        order.status = to;
        order.tracking_number = tracking_number.or(order.tracking_number);
        order.version += 1;
        // Never back in time: events of one order sort by their time as by their version.
        order.updated_at = now.max(self.updated_at);
        order.cause = cause;
        Ok(order)
    }

    /// Whether it has waited for its stock for too long, and nobody re-emitted it a moment ago. A time that lies
    /// ahead is another clock's mistake, and no reason to leave the order alone for ever.
    #[must_use]
    pub(crate) fn is_stalled(&self, now: Timestamp) -> bool {
        self.status == OrderStatus::Pending
            && now.abs_diff(self.placed_at) >= STALLED_AFTER
            && self.re_emitted_at.is_none_or(|at| now.abs_diff(at) >= RETRY_INTERVAL)
    }

    /// Whether it is time to re-emit a stalled order, though no order may be progressing: the pauses between re-emits
    /// double, up to [`MAX_RETRY_INTERVAL`].
    #[must_use]
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let doublings = u32::try_from(self.re_emits.saturating_sub(1)).unwrap_or(u32::MAX).min(8);
        let pause = RETRY_INTERVAL.saturating_mul(1 << doublings).min(MAX_RETRY_INTERVAL);
        self.is_stalled(now) && self.re_emitted_at.is_none_or(|at| now.abs_diff(at) >= pause)
    }

    /// Whether this principal may see and cancel the order without being an administrator: its customer, and for a
    /// guest's order whoever has its token.
    #[must_use]
    pub(crate) fn is_of(&self, principal: &Principal, has_token: bool) -> bool {
        match &self.customer_id {
            None => has_token,
            Some(owner) => principal.is_user(owner),
        }
    }

    #[must_use]
    pub(crate) fn snapshot(&self) -> OrderSnapshot {
        OrderSnapshot {
            order_id: self.id.clone(),
            customer_id: self.customer_id.clone(),
            status: self.status,
            lines: self.lines.clone(),
            total: self.total,
            placed_at: self.placed_at,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shop_types::Currency;

    pub(crate) fn order(status: OrderStatus) -> Order {
        let line = OrderLine {
            product_id: "prod-1".parse().unwrap(),
            name: "Mug".into(),
            quantity: 2,
            unit_price: 2999,
        };
        let new = NewOrder {
            id: OrderId::derived(b"test", "test", "order"),
            customer_id: Some(UserId::fresh(Timestamp::from_millis(1), [1; 10])),
            lines: vec![line],
            total: Money { minor: 5998, currency: Currency::USD },
            cause: Cause::request("request-1"),
        };
        Order { status, ..Order::place(new, Timestamp::from_millis(1000)) }
    }

    #[test]
    fn only_pending_and_confirmed_orders_can_be_cancelled() {
        use OrderStatus::{Cancelled, Confirmed, Delivered, Pending, Rejected, Shipped};
        for status in [Pending, Confirmed] {
            let cancelled = order(status)
                .moved(
                    OrderStatus::Cancelled,
                    None,
                    Timestamp::from_millis(2000),
                    Cause::request("request-2"),
                )
                .unwrap();
            assert_eq!((cancelled.status, cancelled.version), (Cancelled, 2));
            assert_eq!(cancelled.cause, Cause::request("request-2"));
        }
        for from in [Rejected, Cancelled, Shipped, Delivered] {
            let refused = order(from).moved(
                OrderStatus::Cancelled,
                None,
                Timestamp::from_millis(2000),
                Cause::request("request-2"),
            );
            assert_eq!(refused, Err(IllegalMove { from, to: Cancelled }));
        }
    }

    #[test]
    fn every_state_but_the_final_ones_has_a_way_on_and_none_leads_back() {
        use OrderStatus::{Cancelled, Delivered, Pending, Rejected};
        for from in ALL_STATUSES {
            let ways_on = ALL_STATUSES.iter().filter(|to| may_become(from, **to)).count();
            let is_final = matches!(from, Rejected | Cancelled | Delivered);
            assert_eq!(ways_on == 0, is_final, "{from:?}");
            assert!(!may_become(from, Pending) && !may_become(from, from));
        }
    }

    #[test]
    fn a_pending_order_stalls_and_stalls_again_until_it_is_settled() {
        let minute = |minute: i64| Timestamp::from_millis(1000 + minute * 60_000);
        let mut waiting = order(OrderStatus::Pending);
        assert!(!waiting.is_stalled(minute(4)));
        assert!(waiting.is_stalled(minute(5)) && waiting.is_stalled(minute(100_000)));
        waiting.re_emitted_at = Some(minute(5));
        assert!(!waiting.is_stalled(minute(9)));
        assert!(waiting.is_stalled(minute(10)));
        // Another clock re-emitted it in what is the future here.
        waiting.re_emitted_at = Some(minute(60));
        assert!(waiting.is_stalled(minute(10)));
        for status in [OrderStatus::Confirmed, OrderStatus::Rejected, OrderStatus::Cancelled] {
            assert!(!order(status).is_stalled(minute(10)));
        }
    }

    #[test]
    fn the_pauses_between_re_emits_double_to_an_hour() {
        let minute = |minute: i64| Timestamp::from_millis(1000 + minute * 60_000);
        let mut waiting = order(OrderStatus::Pending);
        let (mut re_emitted, mut sweep) = (Vec::new(), 0);
        while sweep < 300 {
            sweep += 5;
            if waiting.is_due(minute(sweep)) {
                (waiting.re_emits, waiting.re_emitted_at) = (waiting.re_emits + 1, Some(minute(sweep)));
                re_emitted.push(sweep);
            }
        }
        assert_eq!(re_emitted, [5, 10, 20, 40, 80, 140, 200, 260]);
        waiting.re_emits = u64::MAX;
        assert!(waiting.is_due(minute(10_000)));
    }

    #[test]
    fn time_never_goes_back() {
        let cancelled = order(OrderStatus::Pending)
            .moved(OrderStatus::Cancelled, None, Timestamp::from_millis(1), Cause::request("request-2"))
            .unwrap();
        assert_eq!(cancelled.updated_at, Timestamp::from_millis(1000));
    }

    #[test]
    fn an_order_is_its_customers_or_who_has_its_token() {
        use shop_auth::Role;
        let mut order = order(OrderStatus::Pending);
        let user = |id: &UserId, role| Principal::User { id: id.clone(), role };
        let owner = order.customer_id.clone().unwrap();
        let other = UserId::fresh(Timestamp::from_millis(1), [2; 10]);
        let callers = |role| [Principal::Guest, user(&owner, Role::Customer), user(&other, role)];
        // What an administrator may see, the account says, and not the token.
        for role in [Role::Customer, Role::Admin] {
            for has_token in [false, true] {
                let is_of = callers(role).map(|caller| order.is_of(&caller, has_token));
                assert_eq!(is_of, [false, true, false], "a customer's order has no token");
            }
        }
        order.customer_id = None;
        for has_token in [false, true] {
            let is_of = callers(Role::Admin).map(|caller| order.is_of(&caller, has_token));
            assert_eq!(is_of, [has_token; 3]);
        }
    }
}
