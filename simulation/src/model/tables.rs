//! The items of all tables, as their writes have made them, and what must hold of every write.

use std::collections::{BTreeMap, BTreeSet};

use orders::order::{Order, may_become};
use products::reservation::Reservation;
use products::stock::Stock;
use products::store::Kind;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shop_auth::Role;
use shop_events::OrderStatus;
use shop_local::cloud::Written;
use shop_messaging::relay::Image;
use shop_types::{Money, OrderId, UserId};
use users::accounts::user::User;
use users::statistics::ledger::{EntryState, LedgerEntry};
use users::statistics::stats::UserStats;
use users::table::{is_account, is_ledger_entry};

use super::Violation;
use super::budgets::Budgets;
use super::event_log::EventLog;
use super::facts::{Item, Service, facts};
use super::stock::StockModel;

/// Physical names of the tables.
#[derive(Clone, Debug)]
pub(crate) struct TableNames {
    pub(crate) orders: String,
    pub(crate) products: String,
}

/// All items.
#[derive(Debug)]
pub(crate) struct TablesModel {
    names: TableNames,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) stock: StockModel,
    pub(crate) ledger: BTreeMap<UserId, BTreeMap<OrderId, LedgerEntry>>,
    pub(crate) statistics: BTreeMap<UserId, UserStats>,
    pub(crate) accounts: BTreeMap<UserId, User>,
    has_administrator: bool,
    /// Whoever was an administrator once: they have no budget while they are.
    administrators: BTreeSet<UserId>,
    pub(super) budgets: Budgets,
    /// How many items were written by the harness itself, which are nothing that a function can read.
    pub(crate) poison: usize,
}

/// What a stream record says of its item.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "dynamodb")]
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "OldImage", default)]
    old: Option<Image>,
    #[serde(rename = "NewImage", default)]
    new: Option<Image>,
}

/// The writes of one call that only make sense together.
#[derive(Default)]
struct Together {
    users: Vec<UserId>,
    levels_changed: usize,
    adjustments: usize,
}

/// Who plants items that are none.
pub(crate) const POISONER: &str = "poisoner";

impl TablesModel {
    pub(crate) fn new(names: TableNames, budgets: Budgets) -> Self {
        Self {
            names,
            orders: BTreeMap::new(),
            stock: StockModel::default(),
            ledger: BTreeMap::new(),
            statistics: BTreeMap::new(),
            accounts: BTreeMap::new(),
            has_administrator: false,
            administrators: BTreeSet::new(),
            budgets,
            poison: 0,
        }
    }

    /// How many orders are not final.
    pub(crate) fn pending(&self) -> usize {
        self.orders.values().filter(|order| order.status == OrderStatus::Pending).count()
    }

    /// Takes in what one call has written.
    pub(super) fn wrote(
        &mut self,
        time: i64,
        caller: &str,
        written: &[Written<'_>],
        event_log: &mut EventLog,
    ) -> Vec<Violation> {
        if caller == POISONER {
            self.poison += written.len();
            return Vec::new();
        }
        let mut together = Together::default();
        let mut violations = Vec::new();
        for Written { table, record } in written {
            let change = match serde_json::from_str::<Record>(record) {
                Ok(record) => record.change,
                Err(error) => {
                    violations.push(Violation::new("an-item-is-readable", format!("{error}: {record}")));
                    continue;
                }
            };
            match self.change(time, caller, table, &change, &mut together) {
                Ok(found) => violations.extend(found),
                Err(unreadable) => violations.push(unreadable),
            }
            match self.facts(table, &change) {
                Ok(facts) => {
                    let item = item_of(table, &change);
                    violations.extend(
                        facts.into_iter().flat_map(|fact| event_log.record(time, caller, &item, fact)),
                    );
                }
                Err(unreadable) => violations.push(unreadable),
            }
        }
        violations.extend(self.stock.settled());
        violations.extend(self.leaderless());
        if together.adjustments > 0 && together.levels_changed != 1 {
            let seen =
                format!("{} keys and {} levels in one write", together.adjustments, together.levels_changed);
            violations.push(Violation::new("an-adjustment-happens-once", seen));
        }
        for user in &together.users {
            violations.extend(self.statistics_of(user));
        }
        violations
    }

    /// Whether the last administrator is gone.
    fn leaderless(&mut self) -> Option<Violation> {
        let is_admin = |user: &User| user.role == Role::Admin && user.profile.is_some();
        let administrators = self.accounts.values().filter(|user| is_admin(user)).count();
        let had_one = std::mem::replace(&mut self.has_administrator, administrators > 0);
        let seen = || "nobody is an administrator any more".to_owned();
        (had_one && administrators == 0).then(|| Violation::new("an-administrator-remains", seen()))
    }

    /// What the write of an item must publish.
    fn facts(&self, table: &str, change: &Change) -> Result<Vec<Value>, Violation> {
        let Some(new) = &change.new else { return Ok(Vec::new()) };
        let service = if table == self.names.orders {
            Service::Orders
        } else if table == self.names.products {
            Service::Products
        } else {
            Service::Users
        };
        let old = change.old.as_ref().map(read::<Item>).transpose()?;
        Ok(facts(service, old.as_ref(), &read(new)?))
    }

    fn change(
        &mut self,
        time: i64,
        caller: &str,
        table: &str,
        change: &Change,
        together: &mut Together,
    ) -> Result<Vec<Violation>, Violation> {
        let Some(new) = &change.new else {
            return Err(Violation::new(
                "an-item-is-readable",
                format!("{caller} removed an item of {table}"),
            ));
        };
        let old = change.old.as_ref();
        if table == self.names.orders {
            let (old, new) = (old.map(read::<Order>).transpose()?, read::<Order>(new)?);
            let mut violations = order(caller, old.as_ref(), &new);
            let customer = new.customer_id.as_ref();
            if old.is_none() && customer.is_none_or(|customer| !self.administrators.contains(customer)) {
                violations.extend(self.budgets.placed(&new));
            }
            self.orders.insert(new.id.clone(), new);
            return Ok(violations);
        }
        let sort_key = new.text("sk").unwrap_or_default();
        if table == self.names.products {
            return match Kind::of(sort_key) {
                Some(Kind::Stock) => {
                    let (old, new) = (old.map(read::<Stock>).transpose()?, read::<Stock>(new)?);
                    together.levels_changed += 1;
                    Ok(self.stock.counter(time, caller, old.as_ref(), &new))
                }
                Some(Kind::Reservation) => {
                    let (old, new) = (old.map(read::<Reservation>).transpose()?, read::<Reservation>(new)?);
                    Ok(self.stock.reservation(time, old.as_ref(), &new))
                }
                Some(Kind::Adjustment) => {
                    together.adjustments += 1;
                    let again = || Violation::new("an-adjustment-happens-once", format!("{new:?}"));
                    Ok(old.map(|_| again()).into_iter().collect())
                }
                Some(Kind::Creation) => {
                    let again = || Violation::new("a-key-is-one-product", format!("{new:?}"));
                    Ok(old.map(|_| again()).into_iter().collect())
                }
                Some(Kind::Product) => Ok(Vec::new()),
                None => Err(Violation::new("an-item-is-readable", format!("{new:?}"))),
            };
        }
        if sort_key == "stats" {
            let new = read::<UserStats>(new)?;
            together.users.push(new.user_id.clone());
            self.statistics.insert(new.user_id.clone(), new);
            return Ok(Vec::new());
        }
        if is_account(sort_key) {
            let (old, new) = (old.map(read::<User>).transpose()?, read::<User>(new)?);
            let mut violations: Vec<_> = account(old.as_ref(), &new).into_iter().collect();
            let login = |user: &User| user.profile.as_ref().map(|profile| profile.login.clone());
            let others = self.accounts.values().filter(|user| user.id != new.id);
            if login(&new).is_some() && others.into_iter().any(|user| login(user) == login(&new)) {
                violations.push(Violation::new("one-account-per-address", new.id.to_string()));
            }
            if new.role == Role::Admin {
                self.administrators.insert(new.id.clone());
            }
            self.accounts.insert(new.id.clone(), new);
            return Ok(violations);
        }
        if !is_ledger_entry(sort_key) {
            return Ok(Vec::new());
        }
        let (old, new) = (old.map(read::<LedgerEntry>).transpose()?, read::<LedgerEntry>(new)?);
        let is_legal = match &old {
            None => new.version == 1,
            Some(old) => {
                (old.state, new.state) == (EntryState::Counted, EntryState::Cancelled)
                    && new.version == old.version + 1
                    && new.total == old.total
            }
        };
        let seen = || format!("{old:?} became {new:?}");
        let violation = (!is_legal).then(|| Violation::new("an-entry-moves-legally", seen()));
        together.users.push(new.user_id.clone());
        self.ledger.entry(new.user_id.clone()).or_default().insert(new.order_id.clone(), new);
        Ok(violation.into_iter().collect())
    }

    /// Whether a user's statistics are the sum of the user's ledger.
    pub(super) fn statistics_of(&self, user: &UserId) -> Option<Violation> {
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
}

fn read<T: DeserializeOwned>(image: &Image) -> Result<T, Violation> {
    let unreadable = |error: &dyn std::error::Error| {
        let why = shop_lambda::log::Chain(error);
        Violation::new("an-item-is-readable", format!("{why}: {image:?}"))
    };
    image.read("item").map_err(|error| unreadable(&error))
}

/// The table and the key of an item.
fn item_of(table: &str, change: &Change) -> String {
    let key = |name: &str| change.new.as_ref().and_then(|new| new.text(name)).unwrap_or_default();
    ["id", "pk", "sk"]
        .into_iter()
        .map(key)
        .filter(|key| !key.is_empty())
        .fold(table.to_owned(), |item, key| item + " " + key)
}

fn account(old: Option<&User>, new: &User) -> Option<Violation> {
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

fn order(caller: &str, old: Option<&Order>, new: &Order) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut report = |invariant, seen: &str| {
        violations.push(Violation::new(invariant, format!("{caller}, {seen}: {old:?} became {new:?}")));
    };
    match old {
        None => {
            if new.status != OrderStatus::Pending || new.version != 1 || caller != "create-order" {
                report("an-order-moves-legally", "an order begins pending");
            }
        }
        Some(old) if old.status == new.status => {
            if old.version != new.version || old.updated_at != new.updated_at || old.cause != new.cause {
                report("an-order-moves-legally", "nothing happened, and it changed");
            }
        }
        Some(old) => {
            if !may_become(old.status, new.status) || new.version != old.version + 1 {
                report("an-order-moves-legally", "this is no step");
            }
        }
    }
    if let Some(old) = old {
        let kept =
            |order: &Order| (order.lines.clone(), order.total, order.customer_id.clone(), order.placed_at);
        if kept(old) != kept(new) {
            report("an-order-keeps-its-lines", "it is another order");
        }
    }
    let currency = new.total.currency;
    let line = |line: &shop_events::OrderLine| {
        Money { minor: line.unit_price, currency }.checked_mul(line.quantity).ok()
    };
    let sum: Option<i64> = new.lines.iter().map(|each| line(each).map(|money| money.minor)).sum();
    if sum != Some(new.total.minor) || new.lines.is_empty() {
        report("lines-sum-to-the-total", "the sum is another");
    }
    violations
}
