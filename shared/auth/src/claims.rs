//! What an access token says (RFC 9068 names the type, RFC 8725 the checks).

use serde::{Deserialize, Serialize};
use shop_types::UserId;

use crate::{Role, SessionId};

/// The header's `typ`: no other kind of token can pass for an access token (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// An access token lives for 15 minutes: what a stolen one is good for, without a call per request.
pub const ACCESS_TOKEN_LIFETIME_SECONDS: i64 = 900;

/// The claims of an access token. Unknown claims are refused: this shop issues none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) role: Role,
    /// The session that it was issued in; absent where there is none, as in the local demo mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<SessionId>,
    /// Issued at, not before, expires: seconds since the epoch.
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}
