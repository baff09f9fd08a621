//! The contracts between services: the `CloudEvents` 1.0 envelope and every event type.
//!
//! A service's relay builds events with [`Event::new`]; consumers read them with [`Event::from_json`]. The
//! JSON Schemas and golden examples lie in docs/events/ and are held equal to these types by a test.
//!
//! Within a version (`dataschema` names it) changes are additive only: a new field is optional, and
//! consumers ignore fields that they do not know. Pure: no AWS, no I/O, no clock. Nothing here may carry an
//! e-mail address, a name or a token: events are kept in queues, dead-letter queues and journals.

mod aggregate;
mod envelope;
mod kind;
pub mod schema;

mod emails;
mod inventory;
mod notifications;
mod orders;
mod products;
mod redrives;
mod users;

pub use emails::{EmailFailed, EmailFailure, EmailSent, EmailTemplate};
pub use envelope::{Cause, Event, EventId, ParseEventError};
pub use inventory::{
    InventoryBackInStock, InventoryClosed, InventoryLow, InventoryRejected, InventoryReleased,
    InventoryRepaired, InventoryReplenished, InventoryReserved, InventorySoldOut, InventoryUpdated,
    RejectionReason, ReservationRepaired, ReservationStatus, ReservedLine, Shortage, StockFigures,
};
pub use kind::{EventData, EventType, UnknownEventType};
pub use notifications::{AlertKind, AlertRaised, AlertResolved};
pub use orders::{
    OrderCancelled, OrderLine, OrderRejected, OrderShipped, OrderSnapshot, OrderStalled, OrderStatus,
};
pub use products::{ProductDeleted, ProductSnapshot};
pub use redrives::{Disposal, RedriveCreated, RedriveFinished};
pub use users::{
    StatsFigures, UserDeleted, UserEmailConfirmationRequested, UserOrderPlaced, UserPasswordResetRequested,
    UserSnapshot, UserStatsRepaired,
};
