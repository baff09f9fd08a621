//! What the emails service publishes: what became of a mail, and never whom it was to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{EmailId, OrderId, UserId};

use crate::aggregate::Aggregate;

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailTemplate {
    /// An order has its stock.
    OrderConfirmation,
    /// An order could not have its stock.
    OrderRejection,
    /// An order was cancelled.
    OrderCancellation,
    /// An order is on its way.
    OrderShipment,
    /// Somebody has registered: it has a token that confirms the address.
    Welcome,
    /// An address is to be confirmed.
    EmailConfirmation,
    /// A password was forgotten.
    PasswordReset,
}

/// Why a mail failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailFailure {
    /// The mail service takes no such mail.
    Rejected,
    /// It could not be sent for days.
    Expired,
    /// The recipient's server did not take it.
    Bounced,
    /// The mail service does not write to this address any more, since it bounced or complained before.
    Suppressed,
    /// The recipient calls it spam.
    Complained,
}

/// The data of `email.sent` and `email.confirmation_sent`: which mail, of which order or to which user. A confirmation
/// is told by both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailSent {
    /// The mail.
    pub email_id: EmailId,
    /// What it is about.
    pub template: EmailTemplate,
    /// The order that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The user whom it is to; absent for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The attempt that was known for sent: 1, unless an earlier one failed or nobody knew what became of it.
    #[schemars(range(min = 1))]
    pub attempt: u32,
}

/// The data of `email.failed`: which mail, and why its recipient did not get it, or did not want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailFailed {
    /// The mail.
    pub email_id: EmailId,
    /// What it is about.
    pub template: EmailTemplate,
    /// The order that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The user whom it is to; absent for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Why.
    pub reason: EmailFailure,
}

impl Aggregate for EmailSent {
    fn aggregate(&self) -> String {
        self.email_id.to_string()
    }

    fn story(&self) -> String {
        story(&self.email_id, self.order_id.as_ref(), self.user_id.as_ref())
    }
}

impl Aggregate for EmailFailed {
    fn aggregate(&self) -> String {
        self.email_id.to_string()
    }

    fn story(&self) -> String {
        story(&self.email_id, self.order_id.as_ref(), self.user_id.as_ref())
    }
}

/// A mail is about an order, or to a user.
fn story(email: &EmailId, order: Option<&OrderId>, user: Option<&UserId>) -> String {
    let thing = order.map(OrderId::as_str).or(user.map(UserId::as_str));
    thing.unwrap_or(email.as_str()).to_owned()
}
