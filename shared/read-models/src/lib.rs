//! What a service may read of another service's table: a contract between the two, as the events are. It is for what
//! must agree with that table and cannot ask for it by events, since it is there to find what events have lost
//! (docs/decisions/0010), and for what events may not carry (docs/decisions/0013). Nothing here can write.

mod contacts;
mod failures;
mod orders;

pub use contacts::{Contact, Contacts};
pub use failures::{ConsumerFailure, ConsumerFailures};
pub use orders::{OrderDetail, OrderRecord, OrdersReadModel, may_be_judged};
