//! How many orders each principal places in a window, held against the limits of the template.

use std::collections::{BTreeMap, BTreeSet};

use orders::budget::WINDOW_SECONDS;
use orders::order::Order;
use shop_types::UserId;

use super::Violation;

/// The function that takes orders.
const TAKER: &str = "create-order";

/// The orders of all windows.
#[derive(Debug)]
pub(crate) struct Budgets {
    /// The limits of an account, and of the one address that all guests have.
    account: usize,
    address: usize,
    placed: BTreeMap<(Option<UserId>, i64), usize>,
    /// The environments that have taken orders: a counter may lack one order of each.
    environments: BTreeSet<u64>,
}

impl Budgets {
    pub(crate) fn new(account: usize, address: usize) -> Self {
        Self { account, address, placed: BTreeMap::new(), environments: BTreeSet::new() }
    }

    pub(super) fn called(&mut self, caller: &str, environment: u64) {
        if caller == TAKER {
            self.environments.insert(environment);
        }
    }

    /// Takes in an order that was placed, by somebody who is no administrator.
    pub(super) fn placed(&mut self, order: &Order) -> Option<Violation> {
        let window = order.placed_at.as_secs().div_euclid(WINDOW_SECONDS);
        let placed = self.placed.entry((order.customer_id.clone(), window)).or_default();
        *placed += 1;
        let limit = if order.customer_id.is_some() { self.account } else { self.address };
        let environments = self.environments.len();
        let seen = || {
            let (who, placed) = (&order.customer_id, *placed);
            format!("{} is order {placed} of {who:?}, limit {limit}, {environments} environments", order.id)
        };
        (*placed > limit + environments).then(|| Violation::new("orders-keep-to-their-budget", seen()))
    }
}
