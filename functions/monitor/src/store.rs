//! The table of the journal. Nothing in it says who anybody is.
//!
//! | partition | sort key | item |
//! |---|---|---|
//! | `log#yyyy-mm-ddThh:00:00.000Z` | ten seconds, `#`, a hash | events and batches of these ten seconds |
//! | `story#<order, product or user>` | a minute, `#`, a hash | events of this minute with their data, and attempts at them |
//! | `failure#<consumer>#<event>` | `-` | the last failure of a consumer at an event |
//!
//! Items of a log and a story are kept for thirty days, failures for ninety, as dead letters are. An entry's place follows
//! from the entry, so that its copies are found where it is ([`crate::packing`]).

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use shop_dynamo::{
    Attribute as _, Condition, Item, Query, Read, Record, StoreError, Table, Updated, string, write,
};
use shop_lambda::{Environment, StartError};
use shop_messaging::receipts::{Outcome, Receipt};
use shop_types::Timestamp;

use crate::entry::{Attempt, BatchLine, Entry};
use crate::packing::{
    Content, HOUR_MS, LOG_BUCKET_MS, PackError, Packed, Part, STORY_BUCKET_MS, bucket, unpack,
};

/// How long the journal remembers.
pub(crate) const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// How long a failure is remembered: as long as a dead letter.
const FAILURES_KEPT_FOR: Duration = Duration::from_hours(90 * 24);
/// The attribute that holds the content of an item.
const CONTENT: &str = "z";
/// Sorts behind every hash.
const LAST: char = '~';

pub(crate) type LogContent = Content<Entry, BatchLine>;
pub(crate) type StoryContent = Content<Entry, Attempt>;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
}

/// Some items, and where those before them begin.
#[derive(Debug)]
pub(crate) struct Found<C> {
    /// Each with the bucket that it is of.
    pub(crate) items: Vec<(Timestamp, C)>,
    pub(crate) next: Option<Item>,
}

/// The last failure of a consumer at an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) consumer: String,
    pub(crate) event_id: String,
    pub(crate) attempt: u32,
    pub(crate) outcome: Outcome,
    pub(crate) code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) at: Timestamp,
}

impl Record for Failed {
    const KIND: &'static str = "failure of a consumer";
}

/// The partition of the log that a time is in.
pub(crate) fn log_partition(time: Timestamp) -> String {
    format!("log#{}", bucket(time, HOUR_MS))
}

/// The partition of a story.
pub(crate) fn story_partition(id: &str) -> String {
    format!("story#{id}")
}

impl Store {
    /// The store in the table that `JOURNAL_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "JOURNAL_TABLE", "pk")? })
    }

    /// Stores up to 25 items.
    ///
    /// # Errors
    /// See [`StoreError`]; some of them may be stored, and storing them again is the same.
    pub(crate) async fn put(&self, packed: &[Packed], now: Timestamp) -> Result<(), StoreError> {
        let item = |packed: &Packed| {
            let mut item = key(&packed.pk, &packed.sk);
            item.insert(CONTENT.to_owned(), AttributeValue::B(Blob::new(packed.bytes.clone())));
            item.insert("expires_at".to_owned(), expiry(now, KEPT_FOR).into_attribute());
            item
        };
        self.table.replace_some(packed.iter().map(item).collect()).await
    }

    /// Notes a failure, unless a later one of the same consumer at the same event is known.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be noted, and noting it again is the same.
    pub(crate) async fn note_failure(
        &self,
        consumer: &str,
        at: Timestamp,
        receipt: &Receipt,
    ) -> Result<(), StoreError> {
        let failed = Failed {
            consumer: consumer.to_owned(),
            event_id: receipt.id.clone(),
            attempt: receipt.attempt,
            outcome: receipt.outcome,
            code: receipt.code.clone().unwrap_or_default(),
            error: receipt.error.clone(),
            at,
        };
        let mut update = self.table.update(failure_key(consumer, &receipt.id));
        for (name, value) in write(Failed::KIND, &failed)? {
            update = update.set(&name, value);
        }
        if failed.error.is_none() {
            update = update.remove("error");
        }
        let update = update.set("expires_at", expiry(at, FAILURES_KEPT_FOR));
        let is_newer = Condition::of("(attribute_not_exists(#at) OR #at <= :set_at)");
        match self.table.update_if::<Failed>(update.only_if(is_newer)).await? {
            Updated::Done | Updated::Changed(_) => Ok(()),
            Updated::Absent => Err(StoreError::Contended { kind: Failed::KIND }),
        }
    }

    /// Items of an hour of the log, the latest bucket first, up to the bucket of a time; from a key on, where one is given.
    /// The call ends where DynamoDB's page does.
    pub(crate) async fn log(
        &self,
        hour: Timestamp,
        up_to: Timestamp,
        after: Option<Item>,
    ) -> Result<Found<LogContent>, StoreError> {
        let last = bucket(up_to, LOG_BUCKET_MS);
        read(self.between(&log_partition(hour), None, last).backwards(), after).await
    }

    /// Items of a story, the latest first, from the bucket of a time to that of another.
    pub(crate) async fn story(
        &self,
        id: &str,
        from: Option<Timestamp>,
        to: Timestamp,
        after: Option<Item>,
    ) -> Result<Found<StoryContent>, StoreError> {
        let from = from.map(|from| bucket(from, STORY_BUCKET_MS));
        let query = self.between(&story_partition(id), from, bucket(to, STORY_BUCKET_MS));
        read(query.backwards(), after).await
    }

    /// Items of a story, the earliest first, behind the bucket of a time up to that of another.
    pub(crate) async fn story_behind(
        &self,
        id: &str,
        time: Timestamp,
        to: Timestamp,
        after: Option<Item>,
    ) -> Result<Found<StoryContent>, StoreError> {
        let next = Timestamp::from_millis(bucket(time, STORY_BUCKET_MS).as_millis() + STORY_BUCKET_MS);
        read(self.between(&story_partition(id), Some(next), bucket(to, STORY_BUCKET_MS)), after).await
    }

    fn between(&self, pk: &str, first: Option<Timestamp>, last: Timestamp) -> Query {
        let first = first.map_or_else(String::new, |first| first.to_string());
        let between = Condition::of("#sk BETWEEN :first AND :last")
            .with("first", if first.is_empty() { "0".to_owned() } else { first })
            .with("last", format!("{last}{LAST}"));
        self.table.query(Condition::equals("pk", pk).and(between), Read::Eventual)
    }
}

async fn read<E: Part, R: Part>(
    query: Query,
    after: Option<Item>,
) -> Result<Found<Content<E, R>>, StoreError> {
    let found = query.after(after).page().await?;
    let items = found.items.iter().map(content).collect::<Result<_, _>>()?;
    Ok(Found { items, next: found.next })
}

/// The bucket of an item, and its content.
fn content<E: Part, R: Part>(item: &Item) -> Result<(Timestamp, Content<E, R>), StoreError> {
    let corrupt = |source| StoreError::Corrupt { kind: "item of the journal", source };
    let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).and_then(|sk| sk.split('#').next());
    let bucket = sk.and_then(|time| time.parse().ok()).ok_or_else(|| corrupt("it has no time".into()))?;
    let bytes = item.get(CONTENT).and_then(|value| value.as_b().ok());
    let bytes = bytes.ok_or_else(|| corrupt("it has no content".into()))?;
    let content = unpack(bytes.as_ref()).map_err(|error: PackError| corrupt(error.into()))?;
    Ok((bucket, content))
}

fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

fn failure_key(consumer: &str, event: &str) -> Item {
    key(&format!("failure#{consumer}#{event}"), "-")
}

/// DynamoDB's own clock compares it, so it is in seconds.
fn expiry(now: Timestamp, kept: Duration) -> i64 {
    now.as_secs() + i64::try_from(kept.as_secs()).unwrap_or(i64::MAX / 2)
}
