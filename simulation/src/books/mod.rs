//! The books of a run: what all items are, what was told, where every message is; and what must hold of them.
//!
//! [`Books`] watches the cloud. Invariants that hold always are checked at every write ([`world`]), publication
//! ([`told`]) and message ([`messages`]); those that hold when all is done, at the end ([`mod@finish`]).

mod budgets;
mod facts;
mod finish;
mod messages;
mod stock;
mod told;
mod world;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shop_local::cloud::{Call, Delivery, Observer, Outcome, Step, Written};

pub(crate) use budgets::Budgets;
pub(crate) use finish::{Left, finish};
pub(crate) use messages::Messages;
pub(crate) use told::Told;
pub(crate) use world::{POISONER, Tables, World};

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, by name.
    pub invariant: &'static str,
    /// What was seen.
    pub seen: String,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, seen: impl Into<String>) -> Self {
        Self { invariant, seen: seen.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.seen)
    }
}

/// Every invariant and what it says, for the reports. Each violation names one of them.
pub const INVARIANTS: &[(&str, &str)] = &[
    ("an-item-is-readable", "every item is what its key says, and no figure is below zero"),
    ("an-order-moves-legally", "an order is placed pending, takes only legal steps, and each is one version"),
    ("an-order-keeps-its-lines", "lines, prices, customer and time of an order never change"),
    ("lines-sum-to-the-total", "an order's total is the sum of its lines"),
    (
        "stock-is-conserved",
        "per product: total = available + reserved, and only an administrator changes the total",
    ),
    ("reserved-is-the-ledgers-sum", "what is reserved of a product is the sum of the reservations"),
    (
        "a-reservation-moves-legally",
        "a reservation is reserved, rejected or released, and goes only from the first to the last",
    ),
    ("no-undersell", "an order is rejected only if its stock was short while it was decided"),
    ("an-adjustment-happens-once", "a change of stock under one idempotency key happens once"),
    ("a-key-is-one-product", "an idempotency key stands for one product, for ever"),
    (
        "an-entry-moves-legally",
        "an entry of a user's ledger is counted or cancelled, and goes only from the first to the last",
    ),
    ("statistics-are-the-ledgers-sum", "a user's statistics are the sum of the user's ledger"),
    (
        "an-event-id-is-one-content",
        "every write that tells an event, and every publication of it, has one content for one id",
    ),
    (
        "an-event-says-when-and-why",
        "an event's time is its write's, and its cause the request, or an event that was told before it",
    ),
    (
        "an-aggregate-s-time-never-goes-back",
        "the events of one aggregate sort by their time as by their version, whoever's clock is ahead",
    ),
    ("an-event-comes-from-a-write", "nothing is published that no write tells"),
    (
        "an-event-is-not-lost",
        "what a write tells is published, unless the stream was down for longer than it keeps records",
    ),
    (
        "a-queue-gets-what-it-asks-for",
        "every publication reaches the queues whose filter policies name its type, and no other",
    ),
    (
        "a-deleted-message-is-done",
        "a message leaves its queue when its consumer is done with it, as the tables show, or for the dead-letter queue",
    ),
    ("every-message-is-somewhere", "sent = handled + dead-lettered + in flight"),
    ("one-bad-message-stops-no-other", "where one message of a batch is poison, the others are done"),
    ("an-acknowledged-order-exists", "an order that was acknowledged is there, with what was asked for"),
    (
        "orders-keep-to-their-budget",
        "nobody places more orders in a window than the limit, but for one of each environment, and who is refused \
         is told when to come again",
    ),
    ("one-order-per-key", "one principal's idempotency key stands for one order"),
    (
        "an-acknowledged-level-was-there",
        "a stock level that was acknowledged was the counter's at that version",
    ),
    ("an-acknowledged-cancel-stays", "an order whose cancellation was acknowledged is cancelled"),
    (
        "an-account-moves-legally",
        "an account changes version by version, and is gone for good when it is deleted",
    ),
    ("one-account-per-address", "no two accounts have one e-mail address"),
    ("an-acknowledged-account-exists", "an account that was acknowledged is there"),
    ("a-deleted-account-is-gone", "nothing personal is left of a deleted account, and nobody logs into it"),
    ("a-used-token-is-worthless", "a refresh token that another has taken the place of renews no session"),
    (
        "an-administrator-remains",
        "a shop that has had an administrator has one after every write, whoever takes the role from whom",
    ),
    (
        "power-that-was-taken-is-gone",
        "no answer shows an administrator's power that the account had lost before the request",
    ),
    ("nobody-sees-anothers-data", "no answer shows another customer's data"),
    (
        "a-guest-s-order-has-a-token",
        "whoever places an order without an account is given its token, and nobody else",
    ),
    (
        "every-order-becomes-final",
        "15 minutes after the faults end no order is pending, and the queues are empty",
    ),
    ("only-poison-stays-behind", "the dead-letter queues hold what can never be handled, and nothing else"),
    (
        "orders-and-reservations-agree",
        "a confirmed order has its stock, a rejected or cancelled one has none",
    ),
    ("orders-and-statistics-agree", "exactly the confirmed orders of a user count"),
    (
        "verify-finds-what-is-lost",
        "verify reports drift where events were lost, none where none were, and none after its repair",
    ),
    ("the-harness-works", "the simulation itself does what it says"),
];

/// What watches a run.
pub(crate) struct Books(Mutex<Inner>);

pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) told: Told,
    pub(crate) messages: Messages,
    pub(crate) violations: Vec<Violation>,
}

/// More than this many say nothing new.
const MAX_VIOLATIONS: usize = 50;

impl Books {
    pub(crate) fn new(world: World, messages: Messages) -> Self {
        Self(Mutex::new(Inner { world, told: Told::default(), messages, violations: Vec::new() }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub(crate) fn accuse(&mut self, violations: impl IntoIterator<Item = Violation>) {
        let room = MAX_VIOLATIONS.saturating_sub(self.violations.len());
        self.violations.extend(violations.into_iter().take(room));
    }
}

impl Observer for Books {
    fn called(&self, _time: i64, call: &Call, _outcome: &Outcome<'_>) {
        self.lock().world.budgets.called(&call.caller, call.environment);
    }

    fn wrote(&self, time: i64, caller: &str, written: &[Written<'_>]) {
        let mut inner = self.lock();
        let Inner { world, told, .. } = &mut *inner;
        let violations = world.wrote(time, caller, written, told);
        inner.accuse(violations);
    }

    fn wants_writes(&self) -> bool {
        true
    }

    fn published(&self, _time: i64, _topic: &str, message: &str) {
        let mut inner = self.lock();
        let violation = inner.told.published(message);
        inner.messages.published(message);
        inner.accuse(violation);
    }

    fn queued(&self, _time: i64, queue: &str, message: &str, step: Step<'_>) {
        let mut inner = self.lock();
        let violation = inner.messages.queued(queue, message, step);
        inner.accuse(violation);
    }

    fn delivered(&self, _time: i64, delivery: &Delivery<'_>) {
        self.lock().messages.delivered(delivery);
    }

    fn judged(&self, _time: i64, delivery: &Delivery<'_>, failed: &BTreeSet<usize>) {
        let mut inner = self.lock();
        let Inner { world, messages, .. } = &mut *inner;
        let violation = messages.judged(delivery, failed, world);
        inner.accuse(violation);
    }
}
