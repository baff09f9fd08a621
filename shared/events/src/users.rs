//! What the users service publishes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{Money, OrderId, Timestamp, UserId};

use crate::aggregate::Aggregate;

/// The data of `user.registered` and `user.updated`: which account, and nothing of whom. Who needs a name or an
/// address asks the users service when it is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserSnapshot {
    /// The user.
    pub user_id: UserId,
    /// Whether the user runs the shop.
    pub is_admin: bool,
    /// When the user registered.
    pub registered_at: Timestamp,
}

impl Aggregate for UserSnapshot {
    fn aggregate(&self) -> String {
        self.user_id.to_string()
    }
}

/// The data of `user.deleted`: whoever keeps something of this user that says who it was erases it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserDeleted {
    /// The user.
    pub user_id: UserId,
    /// When the user was deleted.
    pub deleted_at: Timestamp,
}

impl Aggregate for UserDeleted {
    fn aggregate(&self) -> String {
        self.user_id.to_string()
    }
}

/// The data of `user.order_placed`. Its aggregate is the ledger entry of the user and the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserOrderPlaced {
    /// Who placed the order.
    pub user_id: UserId,
    /// The order.
    pub order_id: OrderId,
    /// What it cost, in minor units.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

impl Aggregate for UserOrderPlaced {
    fn aggregate(&self) -> String {
        format!("{}/{}", self.user_id, self.order_id)
    }

    fn story(&self) -> String {
        self.order_id.to_string()
    }
}

/// The data of `user.password_reset_requested`: the user is to be mailed a token that sets another password. It holds
/// neither token nor address: whoever sends the mail makes the one and asks for the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserPasswordResetRequested {
    /// The user.
    pub user_id: UserId,
    /// When it was asked for; the token's time begins here.
    pub requested_at: Timestamp,
}

impl Aggregate for UserPasswordResetRequested {
    fn aggregate(&self) -> String {
        format!("{}/password-reset", self.user_id)
    }

    fn story(&self) -> String {
        self.user_id.to_string()
    }
}

/// The data of `user.email_confirmation_requested`: the user is to be mailed a token that confirms the address of the
/// account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserEmailConfirmationRequested {
    /// The user.
    pub user_id: UserId,
    /// When it was asked for; the token's time begins here.
    pub requested_at: Timestamp,
}

impl Aggregate for UserEmailConfirmationRequested {
    fn aggregate(&self) -> String {
        format!("{}/email-confirmation", self.user_id)
    }

    fn story(&self) -> String {
        self.user_id.to_string()
    }
}

/// The figures of a user's statistics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatsFigures {
    /// How many orders count.
    pub orders_placed: u64,
    /// What they cost, in minor units: one amount for each currency.
    pub spent: Vec<Money>,
    /// The newest order that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_order_id: Option<OrderId>,
}

/// The data of `user.stats_repaired`: a user's statistics did not agree with the ledger of orders, or the
/// ledger not with the orders, and was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserStatsRepaired {
    /// The user.
    pub user_id: UserId,
    /// The figures as they were found.
    pub before: StatsFigures,
    /// The figures as they should be.
    pub after: StatsFigures,
    /// The orders whose entries in the ledger were missing or wrong; none where only the figures were.
    pub order_ids: Vec<OrderId>,
}

impl Aggregate for UserStatsRepaired {
    fn aggregate(&self) -> String {
        self.user_id.to_string()
    }
}
