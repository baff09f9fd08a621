//! The day's budget of invalidations, and which of them are paid for. Both are gone a day after.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{Condition, Item, StoreError, Table, Transacted, string, value};
use shop_lambda::{Environment, StartError};
use shop_types::Timestamp;

use crate::invalidation::Invalidation;

const DAY_SECONDS: i64 = 24 * 60 * 60;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
    /// How many paths a day may cost.
    paths_per_day: u32,
}

impl Store {
    /// The store in the table that `INVALIDATIONS_TABLE` names, with the budget `INVALIDATION_PATHS_PER_DAY`.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self {
            table: Table::start(environment, client, "INVALIDATIONS_TABLE", "id")?,
            paths_per_day: environment.number("INVALIDATION_PATHS_PER_DAY")?,
        })
    }

    /// Takes the paths of an invalidation out of the day's budget, once however often it is asked for. Whether there
    /// were as many left; if not, none is taken.
    ///
    /// # Errors
    /// See [`StoreError`]. Whether they were taken is not known then, and the same call tells.
    pub(crate) async fn pay(&self, invalidation: &Invalidation, now: Timestamp) -> Result<bool, StoreError> {
        let paths = u32::try_from(invalidation.tags.len()).unwrap_or(u32::MAX);
        let Some(most) = self.paths_per_day.checked_sub(paths) else { return Ok(false) };
        let (day, expires_at) = (now.as_secs().div_euclid(DAY_SECONDS), now.as_secs() + DAY_SECONDS);
        let mut receipt = key(&format!("invalidation:{}:{paths}", invalidation.reference));
        receipt.insert("expires_at".to_owned(), value("receipt", &expires_at)?);
        let is_left = Condition::of("(attribute_not_exists(#paths) OR #paths <= :most)").with("most", most);
        let budget = self
            .table
            .update(key(&format!("budget:{day}")))
            .count("paths", paths)
            .set("expires_at", expires_at + DAY_SECONDS)
            .only_if(is_left);
        let both = self.table.transaction().write(self.table.put(receipt).if_new()).write(budget);
        Ok(match both.send().await? {
            Transacted::Done => true,
            // It was paid for before: by this delivery of the events or another.
            Transacted::Refused(refused) => refused.failed(0),
        })
    }
}

fn key(id: &str) -> Item {
    Item::from([("id".to_owned(), string(id))])
}
