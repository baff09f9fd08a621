//! `GET /users/{id}/stats`: how many orders a user has placed, what they cost, and which was the last.
//!
//! For the user (`me` is an id, too) and for administrators; to anybody else another's statistics do not
//! exist (404). A user who has ordered nothing has statistics of zero. They lag behind the orders by the
//! moment that the events take.
//!
//! Needs `dynamodb:GetItem` on the users table, and on the key table.

use aws_sdk_dynamodb::Client;
use serde::Serialize;
use shop_auth::{Principal, Verifier};
use shop_http::{Access, Call, Decimal, Problem, Reply, Route};
use shop_lambda::Function;
use shop_types::{Currency, Money, OrderId, Timestamp, UserId};

use crate::stats::UserStats;
use crate::store::UserStore;

/// The function.
pub const FUNCTION: Function = Function::new("get-user-stats", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let verifier = Verifier::start(&environment, &client).await?;
        Ok(shop_http::handler(GetUserStats { store: UserStore::start(&environment, client)? }, verifier))
    })
});

struct GetUserStats {
    store: UserStore,
}

impl Route for GetUserStats {
    const ACCESS: Access = Access::SignedIn;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let user_id = visible_user(&call.id_text(), &call.principal).ok_or(Problem::not_found("user"))?;
        let stats = self.store.stats(&user_id).await?.unwrap_or_else(|| UserStats::empty(user_id));
        if call.is_unchanged(stats.version) {
            return Reply::not_modified(stats.version);
        }
        Reply::ok(&StatsView::of(&stats))?.versioned(stats.version)
    }
}

/// The user that the path names, if this principal may see them.
pub(crate) fn visible_user(id: &str, principal: &Principal) -> Option<UserId> {
    if id == "me" {
        return principal.user_id().cloned();
    }
    let user_id: UserId = id.parse().ok()?;
    (principal.is_admin() || principal.is_user(&user_id)).then_some(user_id)
}

#[derive(Debug, Serialize)]
struct StatsView<'a> {
    user_id: &'a UserId,
    orders_placed: u64,
    amount_spent: Vec<SpentView>,
    last_order: Option<LastOrderView<'a>>,
    version: u64,
    updated_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct SpentView {
    currency: Currency,
    amount: Decimal,
}

#[derive(Debug, Serialize)]
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
