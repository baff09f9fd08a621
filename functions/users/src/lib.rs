//! The users service: so far, what each user has ordered. Accounts and sessions join it later.
//!
//! | route or source | handler | binary |
//! |---|---|---|
//! | `GET /users/{id}/stats` | [`get_user_stats`] | get-user-stats |
//! | queue: `order.confirmed`, `order.cancelled` | [`record_user_stats`] | record-user-stats |
//! | schedule, operator | [`verify_user_stats`] | verify-user-stats |
//! | stream of the users table | [`publish_user_events`] | publish-user-events |
//!
//! Statistics are exactly-once although messages repeat and change order: each order of a user has an entry
//! in a ledger ([`ledger`]), and the entry and the statistics ([`stats`]) are written in one transaction. Both
//! modules decide and know nothing of AWS; [`store`] is the only one that speaks DynamoDB. The ledger is the
//! outbox too: [`events`] reads from the table's stream what other services are told.

pub mod audit;
pub mod events;
pub mod get_user_stats;
pub mod ledger;
pub mod order_book;
pub mod publish_user_events;
pub mod record_user_stats;
mod recorder;
pub mod stats;
pub mod store;
#[cfg(test)]
mod testing;
pub mod verify_user_stats;

use shop_lambda::Function;

/// Every function of this service.
pub const FUNCTIONS: &[Function] = &[
    get_user_stats::FUNCTION,
    record_user_stats::FUNCTION,
    verify_user_stats::FUNCTION,
    publish_user_events::FUNCTION,
];
