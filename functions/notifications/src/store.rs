//! The table of alerts. An item is an alert; its key is the id, which follows from the event that raised it.
//!
//! One sparse index, `by-status`: the alerts that were raised, the newest last. There are few of them (a product has
//! one of a kind at a time), so that one partition holds those of a status.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{
    After, Condition, Item, List, Page, Read, Record, StoreError, Table, Update, Updated, string, value,
};
use shop_lambda::{Environment, StartError};
use shop_types::{AlertId, Timestamp};

use crate::alert::{Alert, Half, Note, Position, Status};

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
}

impl Store {
    /// The store in the table that `ALERTS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "ALERTS_TABLE", "id")? })
    }

    /// Writes one half of an alert, if that is not there yet. The other half may be.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is written is not known then, and the same call tells.
    pub(crate) async fn note(&self, note: &Note, now: Timestamp) -> Result<(), StoreError> {
        let mut at = now;
        let mut tries = self.table.tries(Alert::KIND);
        loop {
            match self.table.update_if(self.half(note, at)?).await? {
                Updated::Done => return Ok(()),
                Updated::Changed(stored) if has(&stored, &note.half) => return Ok(()),
                // The other half was written by a clock that is ahead: an alert's events sort by their time.
                Updated::Changed(stored) => at = at.max(stored.updated_at),
                Updated::Absent => {}
            }
            tries.pause().await?;
        }
    }

    fn half(&self, note: &Note, at: Timestamp) -> Result<Update, StoreError> {
        let update = self
            .table
            .update(key(&note.id))
            .set("kind", note.kind.as_str())
            .set("product_id", &note.product_id)
            .set("updated_at", at);
        let (half, update) = match &note.half {
            // An end that came before stays one.
            Half::Raised(raised) => {
                let update = update
                    .set("raised", value(Alert::KIND, raised)?)
                    .set("listed", Position::new(raised.at, note.id.clone()))
                    .set_to("status", "if_not_exists(#status, :open)")
                    .with("open", Status::Open.as_str());
                ("raised", update)
            }
            Half::Resolved(resolved) => {
                let update = update.set("resolved", value(Alert::KIND, resolved)?);
                ("resolved", update.set("status", Status::Closed.as_str()))
            }
        };
        let in_time = Condition::of("(attribute_not_exists(#updated_at) OR #updated_at <= :set_updated_at)");
        Ok(update.only_if(Condition::absent(half).and(in_time)))
    }

    /// Notes that an alert's text was published.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is noted is not known then.
    pub(crate) async fn announced(&self, id: &AlertId, now: Timestamp) -> Result<(), StoreError> {
        let is_new = Condition::exists("raised").and(Condition::absent("announced_at"));
        let update = self.table.update(key(id)).set("announced_at", now).only_if(is_new);
        match self.table.update_if::<Alert>(update).await? {
            // Another delivery of the same event has noted it: the mail came twice.
            Updated::Done | Updated::Changed(_) => Ok(()),
            Updated::Absent => Err(StoreError::Contended { kind: Alert::KIND }),
        }
    }

    /// An alert as it is now.
    pub(crate) async fn find(&self, id: &AlertId) -> Result<Option<Alert>, StoreError> {
        self.table.get(key(id), Read::Consistent).await
    }

    /// A page of the alerts of a status, newest first. The index follows the table within moments.
    pub(crate) async fn list(
        &self,
        status: Status,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Page<Alert>, StoreError> {
        let list = List {
            index: "by-status",
            partition: ("status", status.as_str()),
            sort_key: "listed",
            backwards: true,
            within: None,
        };
        let after = after.map(|after| After { sort_key: after.clone().into(), key: key(after.id()) });
        self.table.page(&list, after, limit).await
    }
}

fn has(alert: &Alert, half: &Half) -> bool {
    match half {
        Half::Raised(_) => alert.raised.is_some(),
        Half::Resolved(_) => alert.resolved.is_some(),
    }
}

fn key(id: &AlertId) -> Item {
    Item::from([("id".to_owned(), string(id.as_str()))])
}
