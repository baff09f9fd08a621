//! What the users service tells.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{Money, OrderId, Timestamp, UserId};

use crate::kind::Aggregate;

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
}
