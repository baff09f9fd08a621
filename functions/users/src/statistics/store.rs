//! Statistics and ledgers in the users table: their conditions and items.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use shop_dynamo::{
    Checkpoint, Condition, Item, MAX_TRANSACTION_ITEMS, Put, Query, Read, Record, ScanPages, StoreError,
    Table, Transacted, Tries, Write, read, read_attribute, read_or_key, string,
};
use shop_lambda::{Environment, StartError};
use shop_types::{OrderId, UserId};

use crate::statistics::audit::Audit;
use crate::statistics::ledger::{EntryWrite, LedgerEntry, StatsSnapshot, Update};
use crate::statistics::stats::{LastOrder, UserStats};
use crate::table::{ENTRY_PREFIX, STATS, item, key, pair};

/// Most orders of one update: with the statistics they fill a transaction, and a `BatchGetItem` call too.
/// An entry has less than 1 KB, so the limit of 4 MB is far away.
pub(crate) const MAX_ORDERS: usize = MAX_TRANSACTION_ITEMS - 1;

impl Record for UserStats {
    const KIND: &'static str = "user's statistics";
}

impl Record for LedgerEntry {
    const KIND: &'static str = "ledger entry";
}

impl Record for LastOrder {
    const KIND: &'static str = LedgerEntry::KIND;
}

#[derive(Clone, Debug)]
pub(crate) struct StatsStore {
    table: Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    Done,
    /// Somebody else wrote in between; nothing is stored. Read again.
    Conflict,
}

impl StatsStore {
    /// The store in the table that `USERS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "USERS_TABLE", "pk")? })
    }

    #[must_use]
    pub(crate) fn tries(&self) -> Tries {
        self.table.tries(UserStats::KIND)
    }

    /// A user's statistics, as of a moment ago (an eventually consistent read, at half the price); none for
    /// a user without any.
    pub(crate) async fn stats(&self, user: &UserId) -> Result<Option<UserStats>, StoreError> {
        self.table.get(key(user, STATS), Read::Eventual).await
    }

    /// A user's statistics and the entries of these orders, [`MAX_ORDERS`] at most, as they are now.
    pub(crate) async fn snapshot(
        &self,
        user: &UserId,
        orders: &BTreeSet<&OrderId>,
    ) -> Result<StatsSnapshot, StoreError> {
        let stats_key = key(user, STATS);
        let entry_keys = orders.iter().map(|order| key(user, &entry_sk(order)));
        let keys: Vec<_> = std::iter::once(stats_key).chain(entry_keys).collect();
        let mut snapshot = StatsSnapshot { stats: UserStats::empty(user.clone()), entries: BTreeMap::new() };
        for item in self.table.get_all(&keys).await? {
            if item.get("sk") == Some(&string(STATS)) {
                snapshot.stats = read(UserStats::KIND, item)?;
            } else {
                let entry: LedgerEntry = read(LedgerEntry::KIND, item)?;
                snapshot.entries.insert(entry.order_id.clone(), entry);
            }
        }
        Ok(snapshot)
    }

    /// The ledger's entries of these orders of these users, as they are now; none for one that cannot be read.
    pub(crate) async fn entries(
        &self,
        orders: impl Iterator<Item = (&UserId, &OrderId)>,
    ) -> Result<BTreeMap<OrderId, Option<LedgerEntry>>, StoreError> {
        let mut keys = Vec::new();
        let mut by_sort_key = BTreeMap::new();
        for (user, order) in orders {
            keys.push(key(user, &entry_sk(order)));
            by_sort_key.insert(entry_sk(order), order);
        }
        let mut entries = BTreeMap::new();
        for item in self.table.get_all(&keys).await? {
            let sort_key: String = read_attribute(LedgerEntry::KIND, &item, "sk")?;
            if let Some(order) = by_sort_key.remove(&sort_key) {
                entries.insert(order.clone(), StoreError::if_readable(read(LedgerEntry::KIND, item))?);
            }
        }
        Ok(entries)
    }

    /// All orders that the user's ledger has as counted, as they are now. It reads the whole ledger, so it
    /// is only for when the last order was cancelled.
    pub(crate) async fn counted_orders(&self, user: &UserId) -> Result<Vec<LastOrder>, StoreError> {
        self.counted(user).only(&["placed_at", "order_id"]).all().await
    }

    /// All entries that the user's ledger has as counted, as they are now.
    pub(crate) async fn counted_entries(&self, user: &UserId) -> Result<Vec<LedgerEntry>, StoreError> {
        self.counted(user).all().await
    }

    fn counted(&self, user: &UserId) -> Query {
        let entries = Condition::of("pk = :user AND begins_with(sk, :prefix)");
        let entries = entries.with("user", user).with("prefix", ENTRY_PREFIX);
        self.table.query(entries, Read::Consistent).filter(Condition::equals("state", "counted"))
    }

    /// All statistics and all entries of the ledgers, page by page. Nothing else of the table is handed out.
    #[must_use]
    pub(crate) fn audited_pages(&self) -> ScanPages {
        let audited = Condition::of("sk = :stats OR begins_with(sk, :prefix)");
        self.table.scan(&audited.with("stats", STATS).with("prefix", ENTRY_PREFIX))
    }

    /// Where a verification of a kind goes on.
    #[must_use]
    pub(crate) fn checkpoint(&self, kind: &str) -> Checkpoint {
        Checkpoint::new(&self.table, pair("checkpoint", &format!("checkpoint#{kind}")))
    }

    /// Writes an update in one transaction, if neither the statistics nor an entry has changed since it was
    /// made.
    ///
    /// # Errors
    /// See [`StoreError`]; the update may or may not be stored, and reading again tells.
    pub(crate) async fn save(&self, update: &Update) -> Result<Saved, StoreError> {
        let stats = update.stats.iter().map(|stats| self.put_stats(stats));
        let entries = update.entries.iter().map(|write| self.put_entry(write));
        let writes = stats.chain(entries).map(|put| Ok(put?.into()));
        let writes = writes.collect::<Result<Vec<Write>, StoreError>>()?;
        Ok(match self.table.transaction().writes(writes).send().await? {
            Transacted::Done => Saved::Done,
            Transacted::Refused(_) => Saved::Conflict,
        })
    }

    fn put_stats(&self, stats: &UserStats) -> Result<Put, StoreError> {
        let put = self.table.put(stats_item(stats)?);
        Ok(match stats.version.checked_sub(1) {
            None | Some(0) => put.if_new(),
            Some(before) => put.only_if(Condition::equals("version", before)),
        })
    }

    fn put_entry(&self, write: &EntryWrite) -> Result<Put, StoreError> {
        let put = self.table.put(entry_item(&write.entry)?);
        Ok(if write.replaces { put.only_if(Condition::equals("state", "counted")) } else { put.if_new() })
    }
}

/// Takes an item of [`StatsStore::audited_pages`] into the audit.
///
/// # Errors
/// The item's key, where it cannot be read.
pub(crate) fn see(audit: &mut Audit, item: Item) -> Result<(), String> {
    const KEYS: &[&str] = &["pk", "sk"];
    let user = read_attribute(LedgerEntry::KIND, &item, "pk");
    let seen = if item.get("sk") == Some(&string(STATS)) {
        read_or_key(KEYS, item).map(|stats| audit.see_stats(stats))
    } else {
        read_or_key(KEYS, item).map(|entry| audit.see_entry(&entry))
    };
    if let (Err(_), Ok(user)) = (&seen, &user) {
        audit.see_unreadable(user);
    }
    seen
}

pub(crate) fn stats_item(stats: &UserStats) -> Result<Item, StoreError> {
    item(key(&stats.user_id, STATS), stats)
}

pub(crate) fn entry_item(entry: &LedgerEntry) -> Result<Item, StoreError> {
    item(key(&entry.user_id, &entry_sk(&entry.order_id)), entry)
}

fn entry_sk(order: &OrderId) -> String {
    format!("{ENTRY_PREFIX}{order}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::types::AttributeValue;
    use shop_types::{Money, Timestamp};

    use super::*;
    use crate::statistics::ledger::EntryState;
    use crate::statistics::ledger::tests::{change, user};
    use crate::table::{is_account, is_ledger_entry, is_stats};

    /// The item of all administrators is in nobody's ledger, and nothing is published of it.
    #[test]
    fn the_item_of_all_administrators_is_none_of_the_books() {
        assert!(!is_account("admins") && !is_stats("admins") && !is_ledger_entry("admins"));
        let ids = AttributeValue::Ss(vec![user().to_string()]);
        let item = HashMap::from([
            ("pk".to_owned(), string("admins")),
            ("sk".to_owned(), string("admins")),
            ("ids".to_owned(), ids),
        ]);
        let image = shop_messaging::relay::Image::of_item(item);
        assert!(crate::events::events(None, Some(&image)).unwrap().is_empty());
        assert!(crate::events::events(Some(&image), Some(&image)).unwrap().is_empty());
    }

    #[test]
    fn items_read_back_as_they_were() {
        let snapshot = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        let changes = [change(0, EntryState::Counted), change(2, EntryState::Counted)];
        let update = snapshot.apply(&changes, Timestamp::from_millis(9000)).unwrap();
        let stats = update.stats.unwrap();
        assert_eq!(stats.spent.len(), 2);
        assert_eq!(read::<UserStats>(UserStats::KIND, stats_item(&stats).unwrap()).unwrap(), stats);

        let mut entry = update.entries[0].entry.clone();
        entry.total = Money { minor: i64::MAX, ..entry.total };
        let item = entry_item(&entry).unwrap();
        assert_eq!(item["sk"], string(format!("order#{}", entry.order_id)));
        assert_eq!(item["state"], string("counted"));
        assert_eq!(read::<LedgerEntry>(LedgerEntry::KIND, item.clone()).unwrap(), entry);
        assert_eq!(read::<LastOrder>(LedgerEntry::KIND, item).unwrap(), entry.as_last_order());
    }
}
