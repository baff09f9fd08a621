//! What a service may read of another service's table: a contract between the two, as the events are. It is for what
//! must agree with that table and cannot ask for it by events, since it is there to find what events have lost
//! (docs/decisions/0010). Nothing here can write.

mod orders;

pub use orders::{OrderDetail, OrderRecord, OrdersReadModel};
