//! Who may see and cancel an order: its customer, an administrator, and for a guest's order whoever presents its
//! token, signed in or not (docs/decisions/0020).

use shop_auth::Principal;
use shop_http::{Call, HeaderName, Problem, Start};
use shop_lambda::StartError;
use shop_types::OrderId;

use crate::order::Order;
use crate::order_keys::OrderSecret;

/// The header that a guest's token comes in.
const ORDER_TOKEN: HeaderName = HeaderName::from_static("order-token");

/// Decides what a caller sees of an order.
pub(crate) struct Gate {
    secret: OrderSecret,
}

impl Gate {
    pub(crate) fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { secret: OrderSecret::start(start)? })
    }

    /// The order, if the caller may have it.
    ///
    /// # Errors
    /// 401 to a guest, and 404 to somebody who is signed in: the same where there is no such order and where it
    /// is somebody else's. 401 to an administrator whose token was ended. 500 or 503 where the secret or the account
    /// cannot be read.
    pub(crate) async fn admit(
        &self,
        call: &Call,
        id: &OrderId,
        order: Option<Order>,
    ) -> Result<Order, Problem> {
        // First, whatever there is: the time that it takes must not tell whether there is an order.
        let has_token = self.has_token(call, id).await?;
        let is_theirs = order.as_ref().is_some_and(|order| order.is_of(&call.principal, has_token));
        // Asked where there is no order, too: a token that was ended is refused alike.
        let may_see = is_theirs || call.is_admin().await?;
        order.filter(|_| may_see).ok_or_else(|| absent(&call.principal))
    }

    async fn has_token(&self, call: &Call, id: &OrderId) -> Result<bool, Problem> {
        let Some(token) = call.header(&ORDER_TOKEN) else { return Ok(false) };
        // Where the secret was never made, no guest has placed an order.
        Ok(self.secret.keys().await?.is_some_and(|keys| keys.is_token(id, token)))
    }
}

/// A guest may have forgotten to sign in, or the token; a user learns nothing of other people's orders.
fn absent(principal: &Principal) -> Problem {
    match principal {
        Principal::Guest => Problem::unauthorized(
            "Your own orders need an access token, and a guest's order its Order-Token.",
            false,
        ),
        Principal::User { .. } => Problem::not_found("order"),
    }
}
