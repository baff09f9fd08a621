//! What somebody proves by a token that was mailed to them: that they read the mail of an address, and with it that
//! they may set another password of its account (docs/decisions/0044).
//!
//! A request for a mail is an item whose stream record is the event that the e-mail service sends the mail for. The
//! token is made there, when it is sent, and stored nowhere ([`shop_auth::MailToken`]).

pub mod confirm_email;
mod fields;
pub(crate) mod mail_request;
pub mod request_email_confirmation;
pub mod request_password_reset;
pub mod reset_password;
pub(crate) mod store;

use shop_auth::{MailToken, MailTokenKey, Purpose, ServiceSecret};
use shop_http::{Code, Problem};
use shop_types::Timestamp;

/// The environment variable that names the table of the secret that the tokens' key derives from.
const KEYS_TABLE: &str = "MAIL_KEYS_TABLE";

/// Whether a token proves what it is sent for.
///
/// # Errors
/// The secret cannot be read.
async fn proves(
    secret: &ServiceSecret,
    token: &MailToken,
    purpose: Purpose<'_>,
    now: Timestamp,
) -> Result<bool, Problem> {
    // Where the secret was never made, no token was ever mailed.
    let Some(secret) = secret.get().await? else { return Ok(false) };
    let key = MailTokenKey::from_secret(&secret).map_err(Problem::internal)?;
    Ok(key.proves(token, purpose, now))
}

/// The same for every reason: whoever tries tokens learns nothing of accounts.
fn invalid_token() -> Problem {
    Problem::new(
        Code::InvalidMailToken,
        "This proves nothing: it was used, is too old, or is none. Ask for another.",
    )
}
