//! Who is asking: principals, and the access tokens that prove them (docs/decisions/0005).
//!
//! Access tokens are JWTs signed with Ed25519 (RFC 8037), valid for minutes and verified in process. The
//! signing key derives from a secret that only what issues tokens may read ([`TokenIssuer`]); its public
//! half lies in the key table, which every function that checks tokens reads at its start ([`Verifier`]). A session goes on by
//! refresh tokens, which are random and stored as hashes ([`RefreshToken`]).
//!
//! A token tells who somebody is. What administrators alone may do it does not prove: that asks the account
//! and the session ([`AccountReader`], docs/decisions/0030).

mod account;
mod claims;
mod issuer;
mod keys;
mod mail_token;
mod principal;
mod service_secret;
mod session;
mod verifier;

pub use account::{AccountReadError, AccountReader, Standing};
pub use claims::{
    ACCESS_TOKEN_LIFETIME_SECONDS, ADMIN_TOKEN_LIFETIME_SECONDS, TOKEN_TYPE, token_lifetime_seconds,
};
pub use issuer::{Grant, IssueError, TokenIssuer};
pub use keys::{Jwk, JwkSet, KeyTable, KeyTableError, RETIREMENT_SECONDS, SIGNING_KEY_MAX_AGE_SECONDS};
pub use mail_token::{
    CONFIRMATION_LIFETIME_SECONDS, MAIL_TOKEN_MAX_LENGTH, MailToken, MailTokenKey, NoMailTokenKey,
    ParseMailTokenError, Purpose, RESET_LIFETIME_SECONDS,
};
pub use principal::{Principal, Role};
pub use service_secret::ServiceSecret;
pub use session::{
    ParseTokenError, REFRESH_LIFETIME_SECONDS, RefreshKey, RefreshToken, SESSION_KEY_PREFIX, SessionId,
};
pub use verifier::{InvalidToken, Verified, Verifier, VerifyError};
