//! The behaviour of DynamoDB, SNS and SQS that the shop relies on, as checks that run against whatever plays
//! them: the embedded cloud, or an emulator at an endpoint.
//!
//! AWS's documentation decides what is right; each check names the page. Where somebody differs and the shop
//! can bear it, the difference is on a list with its reason ([`known`]), and a difference that is not on the
//! list fails, as does one on the list that is no longer seen. The checks must know nothing of the shop.

mod answers;
mod changes;
mod checks;
mod create;
mod embedded;
pub mod known;
pub mod report;
mod target;
mod wait;

pub use checks::{ALL, Check};
pub use report::{Outcome, Report};
pub use target::Target;
