//! What proves who somebody is: passwords, logins, the tokens of devices, and the keyed hashes that they are found by.

pub(crate) mod blind_index;
pub(crate) mod device;
mod guessable;
pub(crate) mod login;
pub(crate) mod password;
