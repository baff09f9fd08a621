//! `GET /users/{id}/stats`: how many orders a user has placed, what they cost, and which was the last.
//!
//! For the user (`me` is an id, too) and for administrators; to anybody else another's statistics do not
//! exist (404). A user who has ordered nothing has statistics of zero. They lag behind the orders by the
//! moment that the events take.
//!
//! Needs `dynamodb:GetItem` on the users table, and on the key table.

use schemars::JsonSchema;
use serde::Serialize;
use shop_http::{Access, Call, Contract, Decimal, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::{Currency, Money, OrderId, Timestamp, UserId};

use crate::stats::UserStats;
use crate::store::StatsStore;

/// The function.
pub const FUNCTION: Function = shop_http::function::<GetUserStats>();

/// The route.
pub struct GetUserStats {
    store: StatsStore,
}

impl Route for GetUserStats {
    const NAME: &'static str = "get-user-stats";
    const ENDPOINT: Endpoint = get("/users/{id}/stats");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let store = StatsStore::start(start.environment(), start.client())?;
        Ok(Self { store })
    }

    fn contract() -> Contract {
        Contract::new("Shows what a user has ordered; `me` is oneself")
            .who("the user, administrators")
            .ok::<StatsView<'_>>("The statistics.")
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let user_id = visible_user(&call).await?.ok_or(Problem::not_found("user"))?;
        let stats = self.store.stats(&user_id).await?.unwrap_or_else(|| UserStats::empty(user_id));
        if call.is_unchanged(stats.version) {
            return Reply::not_modified(stats.version);
        }
        Reply::ok(&StatsView::of(&stats))?.versioned(stats.version)
    }
}

/// The user that the path names, if who asks may see them: themselves, or anybody as an administrator.
///
/// # Errors
/// 401 for an administrator's token that the account has ended.
pub(crate) async fn visible_user(call: &Call) -> Result<Option<UserId>, Problem> {
    let named = named_user(call);
    Ok(match named {
        Some(id) if call.principal.is_user(&id) || call.is_admin().await? => Some(id),
        _ => None,
    })
}

/// The user that the path names, whoever asks; `me` is who asks.
pub(crate) fn named_user(call: &Call) -> Option<UserId> {
    match call.id_text().as_str() {
        "me" => call.principal.user_id().cloned(),
        id => id.parse().ok(),
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
mod tests;
