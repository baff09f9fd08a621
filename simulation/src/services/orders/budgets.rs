//! How many orders each principal places in a window, held against the limits of the template.

use std::collections::{BTreeMap, BTreeSet};

use orders::budget::WINDOW_SECONDS;
use orders::order::Order;
use shop_types::UserId;

use crate::violation::Violation;

/// The function that takes orders.
const TAKER: &str = "create-order";

/// The orders of all windows.
#[derive(Debug)]
pub(super) struct Budgets {
    /// The limits of an account, and of the one address that all guests have.
    account: usize,
    address: usize,
    placed: BTreeMap<(Option<UserId>, i64), usize>,
    /// The environments that have taken orders: a counter may lack one order of each.
    environments: BTreeSet<u64>,
}

impl Budgets {
    pub(super) fn new(account: usize, address: usize) -> Self {
        Self { account, address, placed: BTreeMap::new(), environments: BTreeSet::new() }
    }

    pub(super) fn called(&mut self, caller: &str, environment: u64) {
        if caller == TAKER {
            self.environments.insert(environment);
        }
    }

    pub(super) fn placed(&mut self, order: &Order) {
        *self.placed.entry(window(order)).or_default() += 1;
    }

    /// Whether an order that was placed is more than its principal may place.
    pub(super) fn exceeded(&self, order: &Order) -> Option<Violation> {
        let placed = self.placed.get(&window(order)).copied().unwrap_or(0);
        let limit = if order.customer_id.is_some() { self.account } else { self.address };
        let environments = self.environments.len();
        let seen = || {
            let who = &order.customer_id;
            format!("{} is order {placed} of {who:?}, limit {limit}, {environments} environments", order.id)
        };
        (placed > limit + environments).then(|| Violation::new("orders-keep-to-their-budget", seen()))
    }
}

fn window(order: &Order) -> (Option<UserId>, i64) {
    (order.customer_id.clone(), order.placed_at.as_secs().div_euclid(WINDOW_SECONDS))
}
