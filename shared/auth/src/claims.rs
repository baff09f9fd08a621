//! What an access token says (RFC 9068 names the type, RFC 8725 the checks).

use serde::{Deserialize, Serialize};
use shop_types::UserId;

use crate::{Role, SessionId};

/// The header's `typ`: no other kind of token can pass for an access token (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// A customer's access token lives for 15 minutes: what a stolen one is good for, without a call per request.
pub const ACCESS_TOKEN_LIFETIME_SECONDS: i64 = 900;

/// An administrator's lives for five. What administrators alone may do asks the account besides
/// (docs/decisions/0030), so this bounds only what the token shows of its owner's own data.
pub const ADMIN_TOKEN_LIFETIME_SECONDS: i64 = 300;

/// The one client of this shop's API that tokens are issued to (RFC 9068 section 2.2).
pub(crate) const CLIENT_ID: &str = "shop";

/// How long a token of a role lives, in seconds.
#[must_use]
pub const fn token_lifetime_seconds(role: Role) -> i64 {
    match role {
        Role::Customer => ACCESS_TOKEN_LIFETIME_SECONDS,
        Role::Admin => ADMIN_TOKEN_LIFETIME_SECONDS,
    }
}

/// The claims of an access token. Unknown claims are refused: this shop issues none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) client_id: String,
    /// The token's own id: 128 random bits, so that an audit can tell two tokens of a second apart.
    pub(crate) jti: String,
    pub(crate) role: Role,
    /// The account's session epoch when it was issued: tokens of an earlier one prove no power.
    pub(crate) epoch: u64,
    /// The session that it was issued in; absent where there is none, as in the local demo mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<SessionId>,
    /// Issued at, not before, expires: seconds since the epoch.
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}
