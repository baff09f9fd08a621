//! The table of sales. Nothing in it is anybody's: no name, no customer.
//!
//! | partition | sort key | item |
//! |---|---|---|
//! | `facts#CUR#yyyy-mm-dd` | `hh#<order>#confirmed`, `hh#<order>#cancelled` | a fact of the ledger, by the UTC hour in which it counts |
//! | `hour#CUR#yyyy-mm` | UTC hour | figures |
//! | `day#CUR#yyyy` | day of the shop's zone | figures |
//! | `units#CUR#yyyy-mm-dd` | product | figures of a product on a day of the shop's zone |
//! | `months` | `yyyy-mm#CUR` | there are facts of this month, or there may be |
//!
//! A fact is put on the condition that it is new, in the transaction that adds it to its buckets: nothing is read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use jiff::civil::Date;
use serde::Deserialize;
use shop_dynamo::{
    Checkpoint, Condition, Item, Query, Read, Record, StoreError, Table, Transacted, Update, Write,
    read_or_key, string, write,
};
use shop_lambda::{Environment, StartError};
use shop_types::{Currency, ProductId};

use crate::fact::{Fact, facts_of};
use crate::figures::{Bucket, Figures, days_of, hours_of, products_of};
use crate::zone::Hour;

const KEYS: &[&str] = &["pk", "sk"];
const MONTHS: &str = "months";

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
}

/// What came of some facts in one transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// They are counted.
    Done,
    /// None is counted: those at these places were counted before.
    Known(BTreeSet<usize>),
}

/// A bucket as it is stored.
#[derive(Debug, Deserialize)]
struct Row {
    sk: String,
    #[serde(default)]
    orders: i64,
    #[serde(default)]
    units: i64,
    #[serde(default)]
    gross: i64,
    #[serde(default)]
    c_orders: i64,
    #[serde(default)]
    c_units: i64,
    #[serde(default)]
    c_gross: i64,
}

impl Record for Row {
    const KIND: &'static str = "bucket of sales";
}

impl Row {
    const fn figures(&self) -> Figures {
        Figures::of([self.orders, self.units, self.gross, self.c_orders, self.c_units, self.c_gross])
    }
}

/// What of a partition can be read, and the keys of what cannot.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    pub(crate) items: T,
    pub(crate) unreadable: Vec<String>,
}

impl Store {
    /// The store in the table that `SALES_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "SALES_TABLE", "pk")? })
    }

    /// Puts facts and adds what they come to, in one transaction, if all of them are new.
    ///
    /// # Errors
    /// See [`StoreError`]; whether they are counted is not known then, and the same call tells.
    pub(crate) async fn save(
        &self,
        facts: &[&Fact],
        sums: &BTreeMap<Bucket, Figures>,
    ) -> Result<Saved, StoreError> {
        let puts = facts.iter().map(|fact| Ok(self.table.put(fact_item(fact)?).if_new().into()));
        let adds = sums.iter().map(|(bucket, figures)| Ok(self.counted(bucket, figures).into()));
        let writes = puts.chain(adds).collect::<Result<Vec<Write>, StoreError>>()?;
        Ok(match self.table.transaction().writes(writes).send().await? {
            Transacted::Done => Saved::Done,
            Transacted::Refused(refused) => {
                Saved::Known((0..facts.len()).filter(|place| refused.failed(*place)).collect())
            }
        })
    }

    fn counted(&self, bucket: &Bucket, figures: &Figures) -> Update {
        let update = self.table.update(bucket_key(bucket));
        let values = Figures::NAMES.into_iter().zip(figures.values()).filter(|(_, value)| *value != 0);
        values.fold(update, |update, (name, value)| update.count(name, value))
    }

    /// Notes that there are facts of a month, before the first of them is put: whoever verifies the table learns here
    /// what to look at.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) async fn note_month(&self, month: &str, currency: Currency) -> Result<(), StoreError> {
        self.table.replace(key(MONTHS, &format!("{month}#{currency}"))).await
    }

    /// The months of which there are facts, each with its currency, oldest first.
    pub(crate) async fn months(&self) -> Result<Vec<(String, Currency)>, StoreError> {
        let months: Vec<Month> = self.partition(MONTHS, Read::Consistent).all().await?;
        let month = |Month { sk }: Month| {
            let (month, currency) = sk.split_once('#')?;
            Some((month.to_owned(), currency.parse().ok()?))
        };
        Ok(months.into_iter().filter_map(month).collect())
    }

    /// The figures of the hours from one up to another, which is not among them; those with figures.
    pub(crate) async fn hours(
        &self,
        currency: Currency,
        from: Hour,
        end: Hour,
        read: Read,
    ) -> Result<BTreeMap<String, Figures>, StoreError> {
        let months: BTreeSet<String> = from.until(end).map(Hour::month).collect();
        let mut all = BTreeMap::new();
        for month in months {
            let hours = self.between(&hours_of(currency, &month), from.to_string(), end.to_string(), read);
            all.extend(figures(hours.all().await?));
        }
        all.remove(&end.to_string());
        Ok(all)
    }

    /// The figures of the days from one to another; those with figures.
    pub(crate) async fn days(
        &self,
        currency: Currency,
        from: Date,
        to: Date,
        read: Read,
    ) -> Result<BTreeMap<String, Figures>, StoreError> {
        let mut all = BTreeMap::new();
        for year in from.year()..=to.year() {
            let days = self.between(&days_of(currency, year), from.to_string(), to.to_string(), read);
            all.extend(figures(days.all().await?));
        }
        Ok(all)
    }

    /// The figures of the products of a day.
    pub(crate) async fn products(
        &self,
        currency: Currency,
        date: Date,
        read: Read,
    ) -> Result<Seen<BTreeMap<ProductId, Figures>>, StoreError> {
        let (mut items, mut unreadable) = (BTreeMap::new(), Vec::new());
        let mut next = None;
        loop {
            let query = self.partition(&products_of(currency, date), read).after(next);
            let found = query.page().await?;
            for item in found.items {
                match read_or_key::<Row>(KEYS, item) {
                    Ok(row) => match row.sk.parse() {
                        Ok(product) => drop(items.insert(product, row.figures())),
                        Err(_) => unreadable.push(row.sk),
                    },
                    Err(key) => unreadable.push(key),
                }
            }
            next = found.next;
            if next.is_none() {
                return Ok(Seen { items, unreadable });
            }
        }
    }

    /// Shows the facts of the hours from one to another, as they are now and a page at a time: a busy day has more than
    /// memory should hold. The keys of what cannot be read.
    pub(crate) async fn facts(
        &self,
        currency: Currency,
        from: Hour,
        to: Hour,
        see: &mut (impl FnMut(&Fact) + Send),
    ) -> Result<Vec<String>, StoreError> {
        let mut unreadable = Vec::new();
        let mut days: BTreeMap<String, (Hour, Hour)> = BTreeMap::new();
        for hour in from.until(to.next()) {
            days.entry(hour.date()).or_insert((hour, hour)).1 = hour;
        }
        for (date, (first, last)) in days {
            let (first, last) = (first.of_day(), format!("{}~", last.of_day()));
            let query = self.between(&facts_of(currency, &date), first, last, Read::Consistent);
            let mut next = None;
            loop {
                let found = query.clone().after(next).page().await?;
                for item in found.items {
                    match read_or_key(KEYS, item) {
                        Ok(fact) => see(&fact),
                        Err(key) => unreadable.push(key),
                    }
                }
                next = found.next;
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(unreadable)
    }

    /// Where a verification of a kind goes on.
    pub(crate) fn checkpoint(&self, kind: &str) -> Checkpoint {
        Checkpoint::new(&self.table, key("checkpoint", &format!("verify-sales#{kind}")))
    }

    /// Which of these facts are there, by their keys, as of this moment.
    pub(crate) async fn known(&self, facts: &[Fact]) -> Result<BTreeSet<(String, String)>, StoreError> {
        let keys: Vec<Item> = facts.iter().map(fact_key).collect();
        let items = self.table.get_all(&keys).await?;
        let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Ok(items.iter().filter_map(|item| Some((text(item, "pk")?, text(item, "sk")?))).collect())
    }

    /// The figures of those of some buckets that are there, as of this moment, by their keys.
    pub(crate) async fn figures_of(
        &self,
        buckets: impl IntoIterator<Item = &Bucket>,
    ) -> Result<Seen<BTreeMap<String, Figures>>, StoreError> {
        let keys: Vec<Item> = buckets.into_iter().map(bucket_key).collect();
        let mut seen = Seen { items: BTreeMap::new(), unreadable: Vec::new() };
        for item in self.table.get_all(&keys).await? {
            let pk = item.get("pk").and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            match read_or_key::<Row>(KEYS, item) {
                Ok(row) => drop(seen.items.insert(format!("{pk} {}", row.sk), row.figures())),
                Err(key) => seen.unreadable.push(key),
            }
        }
        Ok(seen)
    }

    /// Puts a bucket right; whether it still was as it was found.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is put right is not known then.
    pub(crate) async fn repair(
        &self,
        bucket: &Bucket,
        found: &Figures,
        right: &Figures,
    ) -> Result<bool, StoreError> {
        let mut update = self.table.update(bucket_key(bucket));
        let mut as_found: Option<Condition> = None;
        for ((name, found), right) in Figures::NAMES.into_iter().zip(found.values()).zip(right.values()) {
            let condition = match found {
                0 => Condition::of(format!("(attribute_not_exists(#{name}) OR #{name} = :is_{name})"))
                    .with(&format!("is_{name}"), 0_i64),
                found => Condition::equals(name, found),
            };
            as_found = Some(match as_found {
                Some(all) => all.and(condition),
                None => condition,
            });
            update = if right == 0 { update.remove(name) } else { update.set(name, right) };
        }
        let update = match as_found {
            Some(condition) => update.only_if(condition),
            None => update,
        };
        Ok(self.table.transaction().write(update).send().await?.is_done())
    }

    fn partition(&self, pk: &str, read: Read) -> Query {
        self.table.query(Condition::equals("pk", pk), read)
    }

    fn between(&self, pk: &str, first: String, last: String, read: Read) -> Query {
        let between = Condition::of("#sk BETWEEN :first AND :last").with("first", first).with("last", last);
        self.table.query(Condition::equals("pk", pk).and(between), read)
    }
}

/// A month of which there are facts.
#[derive(Deserialize)]
struct Month {
    sk: String,
}

impl Record for Month {
    const KIND: &'static str = "month of sales";
}

fn figures(rows: Vec<Row>) -> impl Iterator<Item = (String, Figures)> {
    rows.into_iter().map(|row| {
        let figures = row.figures();
        (row.sk, figures)
    })
}

fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

fn bucket_key(bucket: &Bucket) -> Item {
    let (pk, sk) = bucket.key();
    key(&pk, &sk)
}

fn fact_key(fact: &Fact) -> Item {
    let (pk, sk) = fact.key();
    key(&pk, &sk)
}

fn fact_item(fact: &Fact) -> Result<Item, StoreError> {
    let mut item = write(Fact::KIND, fact)?;
    item.extend(fact_key(fact));
    Ok(item)
}
