//! Accounts, and the statistics of each user with the ledger that they are the sum of.

mod events;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use orders::order::Order;
use serde_json::Value;
use shop_auth::Role;
use shop_events::{Event, EventData, EventType, OrderCancelled, OrderStatus};
use shop_local::template::Template;
use shop_types::{OrderId, UserId};
use users::accounts::user::User;
use users::statistics::ledger::{EntryState, LedgerEntry};
use users::statistics::stats::UserStats;
use users::table::{is_account, is_ledger_entry};

use super::{Images, Invariants, Record, Service, Services, read};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "an-entry-moves-legally",
        "an entry of a user's ledger is counted or cancelled, and goes only from the first to the last",
    ),
    ("statistics-are-the-ledgers-sum", "a user's statistics are the sum of the user's ledger"),
    (
        "an-account-moves-legally",
        "an account changes version by version, and is gone for good when it is deleted",
    ),
    ("one-account-per-address", "no two accounts have one e-mail address"),
    ("an-acknowledged-account-exists", "an account that was acknowledged is there"),
    ("a-deleted-account-is-gone", "nothing personal is left of a deleted account, and nobody logs into it"),
    (
        "a-session-lasts",
        "whoever has logged in renews the session, until something ends it: the owner, an administrator, or a token \
         that two have used",
    ),
    ("a-used-token-is-worthless", "a refresh token that another has taken the place of renews no session"),
    ("an-ended-session-changes-nothing", "a token whose session was ended changes no account"),
    (
        "an-administrator-remains",
        "a shop that has had an administrator has one after every write, whoever takes the role from whom",
    ),
    (
        "power-that-was-taken-is-gone",
        "no answer shows an administrator's power that the account or the session had lost before the request",
    ),
    ("orders-and-statistics-agree", "exactly the confirmed orders of a user count"),
]);

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    accounts: BTreeMap<UserId, User>,
    ledger: BTreeMap<UserId, BTreeMap<OrderId, LedgerEntry>>,
    statistics: BTreeMap<UserId, UserStats>,
    /// Whoever was an administrator once.
    administrators: BTreeSet<UserId>,
    had_administrator: bool,
    /// Whose ledger or statistics the writes of this moment have changed.
    touched: Vec<UserId>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        Ok(Self {
            table: template.tables.get("UsersTable").context("UsersTable")?.name.clone(),
            accounts: BTreeMap::new(),
            ledger: BTreeMap::new(),
            statistics: BTreeMap::new(),
            administrators: BTreeSet::new(),
            had_administrator: false,
            touched: Vec::new(),
        })
    }

    pub(crate) fn account(&self, user: &UserId) -> Option<&User> {
        self.accounts.get(user)
    }

    /// Every account that is not deleted, with its version.
    pub(crate) fn directory(&self) -> BTreeMap<String, u64> {
        let there = self.accounts.values().filter(|user| user.profile.is_some());
        there.map(|user| (user.id.to_string(), user.version)).collect()
    }

    /// Somebody who is an administrator, with the session epoch of the account.
    pub(crate) fn an_administrator(&self) -> Option<(&UserId, u64)> {
        let rules = |user: &&User| user.role == Role::Admin && user.profile.is_some();
        self.accounts.values().find(rules).map(|user| (&user.id, user.session_epoch))
    }

    /// Whether a user is, or was once, an administrator.
    pub(super) fn has_governed(&self, user: &UserId) -> bool {
        self.administrators.contains(user)
    }

    fn has_administrator(&self) -> bool {
        self.accounts.values().any(|user| user.role == Role::Admin && user.profile.is_some())
    }

    fn entry(&self, user: &UserId, order: &OrderId) -> Option<&LedgerEntry> {
        self.ledger.get(user).and_then(|ledger| ledger.get(order))
    }

    fn account_written(&mut self, old: Option<&User>, new: User) -> Vec<Violation> {
        let mut violations: Vec<_> = moves_legally(old, &new).into_iter().collect();
        let login = |user: &User| user.profile.as_ref().map(|profile| profile.login.clone());
        let mut others = self.accounts.values().filter(|user| user.id != new.id);
        if login(&new).is_some() && others.any(|user| login(user) == login(&new)) {
            violations.push(Violation::new("one-account-per-address", new.id.to_string()));
        }
        if new.role == Role::Admin {
            self.administrators.insert(new.id.clone());
        }
        self.accounts.insert(new.id.clone(), new);
        violations
    }

    fn entry_written(&mut self, old: Option<&LedgerEntry>, new: LedgerEntry) -> Vec<Violation> {
        let is_legal = match old {
            None => new.version == 1,
            Some(old) => {
                (old.state, new.state) == (EntryState::Counted, EntryState::Cancelled)
                    && new.version == old.version + 1
                    && new.total == old.total
            }
        };
        let seen = || format!("{old:?} became {new:?}");
        let violation = (!is_legal).then(|| Violation::new("an-entry-moves-legally", seen()));
        self.touched.push(new.user_id.clone());
        self.ledger.entry(new.user_id.clone()).or_default().insert(new.order_id.clone(), new);
        violation.into_iter().collect()
    }

    /// Whether a user's statistics are the sum of the user's ledger.
    fn statistics_of(&self, user: &UserId) -> Option<Violation> {
        let mut sum = UserStats::empty(user.clone());
        let counted = self.ledger.get(user).into_iter().flat_map(BTreeMap::values);
        for entry in counted.filter(|entry| entry.state == EntryState::Counted) {
            sum.orders_placed += 1;
            *sum.spent.entry(entry.total.currency).or_default() += entry.total.minor;
            sum.last_order = sum.last_order.max(Some(entry.as_last_order()));
        }
        sum.spent.retain(|_, spent| *spent != 0);
        let nothing = UserStats::empty(user.clone());
        let stats = self.statistics.get(user).unwrap_or(&nothing);
        let is_sum = (sum.orders_placed, &sum.spent, &sum.last_order)
            == (stats.orders_placed, &stats.spent, &stats.last_order);
        let seen = || format!("{stats:?}, and the ledger says {sum:?}");
        (!is_sum).then(|| Violation::new("statistics-are-the-ledgers-sum", seen()))
    }

    /// Whether an order counts for its customer as it should.
    fn agreement(&self, order: &Order) -> Option<Violation> {
        let entry = self.entry(order.customer_id.as_ref()?, &order.id);
        let counts =
            entry.is_some_and(|entry| entry.state == EntryState::Counted && entry.total == order.total);
        let should =
            matches!(order.status, OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered);
        let seen = || format!("{} is {:?}, its entry {entry:?}", order.id, order.status);
        (counts != should).then(|| Violation::new("orders-and-statistics-agree", seen()))
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "users"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn verification(&self) -> Option<&'static str> {
        Some("verify-user-stats")
    }

    fn begin(&mut self) {
        self.touched.clear();
        self.had_administrator = self.has_administrator();
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let sort_key = record.sort_key();
        if sort_key == "stats" {
            let new: UserStats = read(&record.new)?;
            self.touched.push(new.user_id.clone());
            self.statistics.insert(new.user_id.clone(), new);
        } else if is_account(sort_key) {
            let (old, new) = record.read()?;
            return Ok(self.account_written(old.as_ref(), new));
        } else if is_ledger_entry(sort_key) {
            let (old, new) = record.read()?;
            return Ok(self.entry_written(old.as_ref(), new));
        }
        Ok(Vec::new())
    }

    fn settled(&self, _all: &Services) -> Vec<Violation> {
        let is_leaderless = self.had_administrator && !self.has_administrator();
        let seen = "nobody is an administrator any more";
        let leaderless = is_leaderless.then(|| Violation::new("an-administrator-remains", seen));
        leaderless
            .into_iter()
            .chain(self.touched.iter().filter_map(|user| self.statistics_of(user)))
            .collect()
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        events::of_item(images).into_iter().collect()
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        match (consumer, event.data()) {
            ("record-user-stats", data) => {
                let (EventData::OrderConfirmed(order)
                | EventData::OrderCancelled(OrderCancelled { order, .. })) = data
                else {
                    return false;
                };
                let Some(customer) = &order.customer_id else { return true };
                let entry = self.entry(customer, &order.order_id);
                let is_cancelled = event.event_type() == EventType::OrderCancelled;
                entry.is_some_and(|entry| !is_cancelled || entry.state == EntryState::Cancelled)
            }
            _ => false,
        }
    }

    fn finish(&self, all: &Services, history: &History) -> Vec<Violation> {
        let account = |id: &str| id.parse().ok().and_then(|id| self.accounts.get(&id));
        let missing = history.registered.iter().filter(|id| account(id).is_none());
        let missing = missing.map(|id| Violation::new("an-acknowledged-account-exists", id.clone()));
        let there = history.left.iter().filter(|id| account(id).is_none_or(|user| user.profile.is_some()));
        let there = there.map(|id| Violation::new("a-deleted-account-is-gone", id.clone()));
        let orders = all.orders.orders.values().filter_map(|order| self.agreement(order));
        missing.chain(there).chain(orders).collect()
    }
}

fn moves_legally(old: Option<&User>, new: &User) -> Option<Violation> {
    let is_legal = match old {
        None => new.version == 1 && new.profile.is_some(),
        // There is no way back from a deletion.
        Some(old) => new.version == old.version + 1 && (old.profile.is_some() || new.profile.is_none()),
    };
    let is_erased = new.deleted_at.is_none() || new.profile.is_none();
    // Without what they say: a person's name and address are nobody's business, not even here.
    let seen = || format!("{} at version {} after {:?}", new.id, new.version, old.map(|old| old.version));
    (!is_legal || !is_erased).then(|| Violation::new("an-account-moves-legally", seen()))
}
