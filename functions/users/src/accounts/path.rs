//! The user that a path names, `me` among them.

use shop_http::{Call, Problem};
use shop_types::UserId;

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
