//! Who is asking: principals, and the access tokens that prove them (docs/decisions/0005).
//!
//! Access tokens are JWTs signed with Ed25519 (RFC 8037), valid for minutes and verified in process. The
//! signing key derives from a secret that only what mints tokens may read ([`TokenIssuer`]); its public
//! half lies in the key table, which every function reads at its start ([`Verifier`]). A session goes on by
//! refresh tokens, which are random and stored as hashes ([`RefreshToken`]).

mod claims;
mod issuer;
mod keys;
mod principal;
mod service_secret;
mod session;
mod verifier;

pub use claims::{ACCESS_TOKEN_LIFETIME_SECONDS, TOKEN_TYPE};
pub use issuer::{IssueError, TokenIssuer};
pub use keys::{Jwk, JwkSet, KeyTable, KeyTableError, RETIREMENT_SECONDS};
pub use principal::{Principal, Role};
pub use service_secret::ServiceSecret;
pub use session::{ParseTokenError, RefreshToken, SessionId};
pub use verifier::{InvalidToken, Verified, Verifier, VerifyError};
