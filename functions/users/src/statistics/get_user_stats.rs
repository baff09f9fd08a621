//! `GET /users/{id}/stats`: how many orders a user has placed, what they cost, and which was the last.
//!
//! For the user (`me` is an id, too) and for administrators; to anybody else another's statistics do not
//! exist (404). A user who has ordered nothing has statistics of zero, a deleted one too; an id that nobody ever had
//! has none (404). They lag behind the orders by the moment that the events take.

use schemars::JsonSchema;
use serde::Serialize;
use shop_auth::AccountReader;
use shop_http::{Access, Call, Contract, Decimal, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::{Currency, Money, OrderId, Timestamp, UserId};

use crate::accounts::path::visible_user;
use crate::statistics::stats::UserStats;
use crate::statistics::store::StatsStore;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetUserStats>();

pub(crate) struct GetUserStats {
    store: StatsStore,
    accounts: AccountReader,
}

impl Route for GetUserStats {
    const NAME: &'static str = "get-user-stats";
    const ENDPOINT: Endpoint = get("/users/{id}/stats");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let store = StatsStore::start(start.environment(), start.client())?;
        Ok(Self { store, accounts: start.accounts()? })
    }

    fn contract() -> Contract {
        Contract::new("Shows what a user has ordered; `me` is oneself")
            .who("the user, administrators")
            .ok::<StatsView<'_>>("The statistics.")
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let user_id = visible_user(&call).await?.ok_or(Problem::not_found("user"))?;
        let stats = match self.store.stats(&user_id).await? {
            Some(stats) => stats,
            // Only an administrator can ask of somebody who may never have been: one's own token has an account.
            None if !call.principal.is_user(&user_id)
                && self.accounts.standing(&user_id, None).await?.is_none() =>
            {
                return Err(Problem::not_found("user"));
            }
            None => UserStats::empty(user_id),
        };
        if call.is_unchanged(stats.version)? {
            return Reply::not_modified(stats.version);
        }
        Reply::ok(&StatsView::of(&stats))?.versioned(stats.version)
    }
}

/// What a user has ordered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UserStatistics")]
struct StatsView<'a> {
    user_id: &'a UserId,
    orders_placed: u64,
    amount_spent: Vec<SpentView>,
    last_order: Option<LastOrderView<'a>>,
    version: u64,
    updated_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Spent")]
struct SpentView {
    currency: Currency,
    amount: Decimal,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LastOrder")]
struct LastOrderView<'a> {
    id: &'a OrderId,
    placed_at: Timestamp,
}

impl<'a> StatsView<'a> {
    fn of(stats: &'a UserStats) -> Self {
        let spent = stats
            .spent
            .iter()
            .map(|(&currency, &minor)| SpentView { currency, amount: Decimal(Money { minor, currency }) });
        let last_order = stats
            .last_order
            .as_ref()
            .map(|last| LastOrderView { id: &last.order_id, placed_at: last.placed_at });
        Self {
            user_id: &stats.user_id,
            orders_placed: stats.orders_placed,
            amount_spent: spent.collect(),
            last_order,
            version: stats.version,
            updated_at: stats.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::statistics::ledger::tests::{change, user};
    use crate::statistics::ledger::{EntryState, StatsSnapshot};

    #[test]
    fn the_answer_writes_money_with_the_digits_of_its_currency() {
        let snapshot = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        let changes = [change(1, EntryState::Counted), change(2, EntryState::Counted)];
        let stats = snapshot.apply(&changes, Timestamp::from_millis(9000)).unwrap().stats.unwrap();
        let last = &changes[1].order_id;
        let expected = format!(
            r#"{{"user_id":"{}","orders_placed":2,"amount_spent":[{{"currency":"JPY","amount":30}},{{"currency":"USD","amount":0.20}}],"last_order":{{"id":"{last}","placed_at":"1970-01-01T00:00:02.000Z"}},"version":1,"updated_at":"1970-01-01T00:00:09.000Z"}}"#,
            user()
        );
        assert_eq!(serde_json::to_string(&StatsView::of(&stats)).unwrap(), expected);
    }

    #[test]
    fn a_user_without_orders_has_statistics_of_zero() {
        let stats = UserStats::empty(user());
        let expected = format!(
            r#"{{"user_id":"{}","orders_placed":0,"amount_spent":[],"last_order":null,"version":0,"updated_at":null}}"#,
            user()
        );
        assert_eq!(serde_json::to_string(&StatsView::of(&stats)).unwrap(), expected);
    }
}
