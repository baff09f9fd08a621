//! The table of mails: its keys, its conditions, its items. Nothing else speaks DynamoDB to it.
//!
//! One item a mail, by its `id`. Three indexes that hold keys alone: `by-time`, which all mails are in and the list is
//! read from; `by-user`, which those to users are in; and `open`, which those are in that something is left to be done
//! for, by when that is. The partitions of the first and the last are split in four, by the id.

use std::cmp::Reverse;

use aws_sdk_dynamodb::Client;
use futures::future::try_join_all;
use serde::Deserialize;
use shop_dynamo::{
    After, Attribute, Condition, Item, List, New, Page, Read, Record, StoreError, Table, Update, Updated,
    read, string, value, write,
};
use shop_lambda::{Environment, StartError};
use shop_types::{EmailId, ListPosition, Timestamp, UserId};

use crate::email::Email;

/// How many partitions an index is split into.
pub(crate) const SHARDS: u8 = 4;

/// Where a list of mails goes on.
pub(crate) type Position = ListPosition<EmailId>;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
}

/// A mail, as the list's index has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Listed {
    listed: Position,
}

impl Record for Listed {
    const KIND: &'static str = Email::KIND;
}

/// A mail, as the index of open ones has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Open {
    id: EmailId,
}

impl Record for Open {
    const KIND: &'static str = Email::KIND;
}

/// What came of a change.
#[derive(Debug)]
pub(crate) enum Saved {
    Done,
    /// Somebody else was faster: it is this now.
    Outrun(Box<Email>),
}

/// A page of the list.
#[derive(Debug)]
pub(crate) struct EmailsPage {
    /// Newest first.
    pub(crate) emails: Vec<Email>,
    /// Where the next page goes on, if there is one.
    pub(crate) next: Option<Position>,
}

impl Store {
    /// The store in the table that `EMAILS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "EMAILS_TABLE", "id")? })
    }

    /// Stores a mail's next version, if nobody else has changed it since; a new mail where there is none of its id.
    ///
    /// # Errors
    /// The call failed, and it may or may not be stored; the same call tells.
    pub(crate) async fn save(&self, before: &Email, after: &Email) -> Result<Saved, StoreError> {
        let current = if before.version == 0 {
            match self.table.put_new(item(after)?).await? {
                New::Stored => return Ok(Saved::Done),
                New::Exists(stored) => stored,
            }
        } else {
            match self.table.update_if(self.update(before, after)?).await? {
                Updated::Done => return Ok(Saved::Done),
                Updated::Changed(stored) => stored,
                Updated::Absent => return Err(StoreError::Contended { kind: Email::KIND }),
            }
        };
        // Our own write, whose answer was lost.
        Ok(if current == *after { Saved::Done } else { Saved::Outrun(Box::new(current)) })
    }

    /// A mail as it is now.
    pub(crate) async fn find(&self, id: &EmailId) -> Result<Option<Email>, StoreError> {
        self.table.get(key(id), Read::Consistent).await
    }

    /// The mails of these ids that there are, newest first.
    pub(crate) async fn all_of(
        &self,
        ids: impl IntoIterator<Item = &EmailId>,
    ) -> Result<Vec<Email>, StoreError> {
        let keys: Vec<_> = ids.into_iter().map(key).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let items = self.table.get_all(&keys).await?.into_iter();
        let mut emails = items.map(|item| read(Email::KIND, item)).collect::<Result<Vec<Email>, _>>()?;
        emails.sort_by_cached_key(|email| Reverse(email.position()));
        Ok(emails)
    }

    /// A page of all mails, newest first.
    pub(crate) async fn page(&self, after: Option<&Position>, limit: i32) -> Result<EmailsPage, StoreError> {
        let shards: Vec<_> = (0..SHARDS).map(|shard| shard.to_string()).collect();
        let page = |shard| self.part_page("by-time", ("list_shard", shard), after, limit);
        let pages = try_join_all(shards.iter().map(|shard| page(shard))).await?;
        let (listed, goes_on) = merged(pages, limit);
        let next = listed.last().filter(|_| goes_on).cloned();
        let emails = self.all_of(listed.iter().map(Position::id)).await?;
        Ok(EmailsPage { emails, next })
    }

    /// A page of the mails to a user, newest first.
    pub(crate) async fn page_of_user(
        &self,
        user: &UserId,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<EmailsPage, StoreError> {
        let page = self.part_page("by-user", ("user_id", user.as_str()), after, limit).await?;
        let next = page.next(|last| last.listed.clone());
        let emails = self.all_of(page.items.iter().map(|item| item.listed.id())).await?;
        Ok(EmailsPage { emails, next })
    }

    /// A page of the mails of these ids, newest first.
    pub(crate) async fn page_of(
        &self,
        ids: &[EmailId],
        after: Option<&Position>,
        limit: i32,
    ) -> Result<EmailsPage, StoreError> {
        let mut emails = self.all_of(ids).await?;
        emails.retain(|email| after.is_none_or(|after| email.position() < *after));
        let limit = usize::try_from(limit).unwrap_or_default();
        let goes_on = emails.len() > limit;
        emails.truncate(limit);
        let next = emails.last().filter(|_| goes_on).map(Email::position);
        Ok(EmailsPage { emails, next })
    }

    async fn part_page(
        &self,
        index: &str,
        partition: (&str, &str),
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Page<Listed>, StoreError> {
        let list = List { index, partition, sort_key: "listed", backwards: true, within: None };
        let after = after.map(|after| After { sort_key: after.clone().into(), key: key(after.id()) });
        self.table.page(&list, after, limit).await
    }

    /// The mails of a part of the open ones that were due at a time, longest first; as the index has them.
    pub(crate) async fn due(&self, shard: u8, now: Timestamp, most: i32) -> Result<Vec<EmailId>, StoreError> {
        let due = Condition::equals("open_shard", shard.to_string());
        let due = due.and(Condition::of("#due <= :now").with("now", now));
        let found = self.table.query_index("open", due).limit(most).page().await?;
        Ok(found.read::<Open>()?.into_iter().map(|open| open.id).collect())
    }

    fn update(&self, before: &Email, after: &Email) -> Result<Update, StoreError> {
        let stored = item(after)?;
        let was = item(before)?;
        let mut update = self.table.update(key(&after.id));
        for (name, value) in &stored {
            if was.get(name) != Some(value) {
                update = update.set(name, value.clone());
            }
        }
        for name in was.keys().filter(|name| !stored.contains_key(*name)) {
            update = update.remove(name);
        }
        Ok(update.only_if(Condition::equals("version", before.version)))
    }
}

/// The item of a mail, with the keys of the indexes that it is in.
pub(crate) fn item(email: &Email) -> Result<Item, StoreError> {
    let mut item = write(Email::KIND, email)?;
    let shard = string(shard(&email.id).to_string());
    item.insert("list_shard".to_owned(), shard.clone());
    item.insert("listed".to_owned(), value(Email::KIND, &email.position())?);
    if let Some(due) = email.due() {
        item.insert("open_shard".to_owned(), shard);
        item.insert("due".to_owned(), due.into_attribute());
    }
    Ok(item)
}

fn key(id: &EmailId) -> Item {
    Item::from([("id".to_owned(), string(id.as_str()))])
}

/// The partition of the indexes that a mail belongs to, by its id, so that it never moves.
fn shard(id: &EmailId) -> u8 {
    id.as_str().bytes().fold(0_u8, u8::wrapping_add) % SHARDS
}

/// One page of what several parts have, each up to its end or to where it goes on; and whether the list goes on.
fn merged(pages: Vec<Page<Listed>>, limit: i32) -> (Vec<Position>, bool) {
    // What lies behind the end of a page in the others may come after mails that this one has not reached yet.
    let horizon = pages.iter().filter_map(|page| page.next(|last| last.listed.clone())).max();
    let mut listed: Vec<_> = pages.into_iter().flat_map(|page| page.items).map(|item| item.listed).collect();
    if let Some(horizon) = &horizon {
        listed.retain(|position| position >= horizon);
    }
    listed.sort_unstable_by(|a, b| b.cmp(a));
    let limit = usize::try_from(limit).unwrap_or_default();
    let goes_on = horizon.is_some() || listed.len() > limit;
    listed.truncate(limit);
    (listed, goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Reason;
    use crate::email::tests::email;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn items_read_back_and_are_in_the_index_of_open_mails_while_they_are() {
        let sending = email().claimed("c".into(), at(2000));
        let sent = sending.sent("m".into(), at(3000));
        for (email, is_open) in [
            (&sending, true),
            (&sending.put_back(Reason::Throttled, at(3000)), true),
            (&sent, false),
            (&sending.failed(Reason::Rejected, at(3000)), false),
            (&sending.skipped(Reason::Overtaken, at(3000)), false),
        ] {
            let item = item(email).unwrap();
            assert_eq!(item.contains_key("open_shard"), is_open, "{:?}", email.status);
            assert_eq!(item.contains_key("due"), is_open);
            assert!(item.contains_key("list_shard") && item.contains_key("listed"));
            assert_eq!(read::<Email>(Email::KIND, item).unwrap(), *email);
        }
    }

    #[test]
    fn a_page_of_several_parts_goes_on_behind_its_last_mail() {
        let position = |millis| Listed { listed: Position::new(at(millis), email().id) };
        let page = |moments: &[i64], goes_on| Page {
            items: moments.iter().copied().map(position).collect(),
            goes_on,
        };
        let moments = |(listed, goes_on): (Vec<Position>, bool)| (listed.len(), goes_on);
        assert_eq!(moments(merged(vec![page(&[], false), page(&[], false)], 2)), (0, false));
        assert_eq!(moments(merged(vec![page(&[3, 1], false), page(&[2], false)], 3)), (3, false));
        assert_eq!(moments(merged(vec![page(&[3, 1], false), page(&[2], false)], 2)), (2, true));
        // The second part has not reached what comes before 1 in it.
        assert_eq!(moments(merged(vec![page(&[1], false), page(&[3, 2], true)], 9)), (2, true));
    }
}
