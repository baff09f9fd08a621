//! Messages: how an event leaves a service ([`relay`]) and how it enters another ([`consumer`]).
//!
//! ```text
//! table stream -> relay -> SNS topic -> SQS queue -> consumer
//! ```
//!
//! Both turn a service's own code into a [`shop_lambda::Handler`], and both report failures one by one
//! (`ReportBatchItemFailures`), so that one bad record holds nobody back and nothing is acknowledged that
//! was not done. Neither knows any table, event type or business rule. Deliveries repeat and change order;
//! what a consumer does about that is its own matter and stands in its doc comment.

pub mod consumer;
mod panics;
pub mod receipts;
pub mod relay;
mod safe_text;
mod sender;
#[cfg(test)]
mod testing;
mod work;

pub use sender::{NotSent, Sender};
pub use work::{Work, WorkQueue, somebody_is_at_it};
