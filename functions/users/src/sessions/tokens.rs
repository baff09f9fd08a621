//! What a log-in and a refresh answer with.

use schemars::JsonSchema;
use serde::Serialize;
use shop_auth::Role;
use shop_types::UserId;

/// What a log-in and a refresh answer with.
// It must not be logged, so it has no `Debug`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tokens<'a> {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: i64,
    /// None where the browser has it as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// Seconds.
    pub(crate) refresh_expires_in: i64,
    /// To be sent with the next log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_token: Option<String>,
    pub(crate) user_id: &'a UserId,
    pub(crate) role: Role,
}
