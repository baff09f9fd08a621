//! Accounts, sessions and roles over the embedded cloud: the users service alone, and the whole shop.

mod administrators;
mod attempts;
mod broken_tokens;
mod cookies;
mod deleting;
mod mail_proofs;
mod registering;
mod rehashing;
mod replaying;
mod sessions;
mod signing;
