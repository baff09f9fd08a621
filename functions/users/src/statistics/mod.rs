//! Statistics: what each user has ordered, exactly once.
//!
//! Messages repeat and change order. So each order of a user has an entry in a [`ledger`], and the entry and the
//! statistics ([`stats`]) are written in one transaction.

mod audit;
pub mod get_user_stats;
pub mod ledger;
mod orders_read_model;
pub mod record_user_stats;
mod recorder;
pub mod stats;
pub(crate) mod store;
pub mod verify_user_stats;
