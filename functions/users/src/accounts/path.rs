//! The user that a path names, `me` among them.

use shop_http::{Call, Code, Problem};
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
    if call.id_text() == "me" { call.principal.user_id().cloned() } else { call.id("user").ok() }
}

/// The user that the path names, who must be who asks; `detail` says to an administrator what only its user may do.
///
/// # Errors
/// 403 for an administrator, and 404 for anybody else who names somebody else.
pub(crate) fn own_user(call: &Call, detail: &'static str) -> Result<UserId, Problem> {
    let absent = || Problem::not_found("user");
    let id = named_user(call).ok_or_else(absent)?;
    if call.principal.is_user(&id) {
        return Ok(id);
    }
    // Who is no administrator learns nothing of others; what a token claims decides nothing here.
    Err(if call.principal.claims_admin() { Problem::new(Code::NotYourAccount, detail) } else { absent() })
}
