//! Letters.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{
    After, Condition, List, Page, Read, Record, StoreError, Table, Transacted, Write, read, write,
};
use shop_events::Disposal;
use shop_lambda::{Environment, StartError};
use shop_types::{DeadLetterId, Timestamp};

use super::key;
use crate::letter::{Letter, PARKED, Parked, Position, Status, expires_at};
use crate::redrive::Redrive;

/// How many parked letters are read at once: of some 200 bytes each, a fifth of what one answer may hold.
pub(crate) const PARKED_PAGE: i32 = 1000;

#[derive(Clone, Debug)]
pub(crate) struct Letters {
    table: Table,
}

/// What came of moving letters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// They are moved, and the redrive says so.
    Done,
    /// One of them was moved by somebody else meanwhile, or came back; or the redrive is not running any more.
    Outrun,
}

impl Letters {
    /// The letters in the table that `DEAD_LETTERS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "DEAD_LETTERS_TABLE", "id")? })
    }

    pub(crate) async fn find(&self, id: &DeadLetterId) -> Result<Option<Letter>, StoreError> {
        self.table.get(key(id.as_str()), Read::Consistent).await
    }

    /// Stores a letter as a message of it makes it that was found: `made` of what is there.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is stored is not known then, and the same call tells.
    pub(crate) async fn park(
        &self,
        id: &DeadLetterId,
        made: impl Fn(Option<&Letter>) -> Option<Letter>,
    ) -> Result<(), StoreError> {
        let mut tries = self.table.tries(Letter::KIND);
        loop {
            let stored = self.find(id).await?;
            let Some(letter) = made(stored.as_ref()) else { return Ok(()) };
            let put = self.table.put(write(Letter::KIND, &letter)?);
            let put = match &stored {
                None => put.if_new(),
                // A redrive changes no version: it leaves the status behind.
                Some(stored) => put.only_if(
                    Condition::equals("version", stored.version)
                        .and(Condition::equals("status", status(stored.status))),
                ),
            };
            if self.table.transaction().write(Write::Put(put)).send().await?.is_done() {
                return Ok(());
            }
            tries.pause().await?;
        }
    }

    /// A page of the parked letters, by consumer and the oldest first; of all, or of those between two places. The index
    /// follows the table within moments.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) async fn parked(
        &self,
        within: Option<(String, String)>,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Page<Parked>, StoreError> {
        let list = List {
            index: "parked",
            partition: ("listed", PARKED),
            sort_key: "place",
            backwards: false,
            within,
        };
        let after = after.map(|after| After { sort_key: after.place.clone(), key: key(after.id.as_str()) });
        self.table.page(&list, after, limit).await
    }

    /// The letters of some ids, as they are now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) async fn all_of(&self, ids: &[DeadLetterId]) -> Result<Vec<Letter>, StoreError> {
        let keys = ids.iter().map(|id| key(id.as_str())).collect();
        let mut found = self.table.batch_get([self.table.wanted(keys, Read::Consistent)]).await?;
        found.items_of(&self.table).into_iter().map(|item| read(Letter::KIND, item)).collect()
    }

    /// Marks letters as moved by a redrive, and counts them there; all of them, or none.
    ///
    /// # Errors
    /// See [`StoreError`]; whether they are marked is not known then.
    pub(crate) async fn moved(
        &self,
        letters: &[Letter],
        (redrive, progress): (&Redrive, Write),
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let status_now = match redrive.disposal {
            Disposal::Redrive => Status::Redriven,
            Disposal::Discard => Status::Discarded,
        };
        let mark = |letter: &Letter| {
            let update = self.table.update(key(letter.id.as_str()));
            let is_same =
                Condition::equals("message_id", letter.message_id.as_str()).and(Condition::exists("listed"));
            update
                .set("status", status(status_now))
                .set("moved_by", redrive.id.as_str())
                .set("expires_at", expires_at(now))
                .remove("listed")
                .only_if(is_same)
                .into()
        };
        let writes: Vec<Write> = letters.iter().map(mark).chain([progress]).collect();
        Ok(match self.table.transaction().writes(writes).send().await? {
            Transacted::Done => Moved::Done,
            Transacted::Refused(_) => Moved::Outrun,
        })
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Parked => "parked",
        Status::Redriven => "redriven",
        Status::Discarded => "discarded",
    }
}
