//! Accounts, sessions and roles over the embedded cloud: the users service alone, and the whole shop.

mod attempts;
mod authorization;
mod broken_tokens;
mod registering;
mod sessions;
