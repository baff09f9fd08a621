//! The principal of a request: a guest, a customer or an administrator.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::UserId;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Places orders, and sees what is theirs.
    Customer,
    /// Runs the shop.
    Admin,
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular: no token came with the request.
    Guest,
    /// The user that a valid access token names.
    User {
        /// The user.
        id: UserId,
        /// The role that the token claims. It was the account's when the token was issued, and may have been
        /// taken away since: nothing is allowed by it ([`crate::AccountReader`]).
        role: Role,
    },
}

impl Principal {
    /// The user, unless it is a guest.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::Guest => None,
            Self::User { id, .. } => Some(id),
        }
    }

    /// Whether the token claims to be an administrator's: only then is the account asked.
    #[must_use]
    pub fn claims_admin(&self) -> bool {
        matches!(self, Self::User { role: Role::Admin, .. })
    }

    /// Whether this is the user `id`.
    #[must_use]
    pub fn is_user(&self, id: &UserId) -> bool {
        self.user_id() == Some(id)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("guest"),
            Self::User { id, .. } => f.write_str(id.as_str()),
        }
    }
}
