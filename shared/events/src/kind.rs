//! The table of event types: name, publishing service, data. Everything else is derived from it.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::aggregate::Aggregate;
use crate::{
    AlertRaised, AlertResolved, EmailFailed, EmailSent, InventoryBackInStock, InventoryClosed, InventoryLow,
    InventoryRejected, InventoryReleased, InventoryRepaired, InventoryReplenished, InventoryReserved,
    InventorySoldOut, InventoryUpdated, OrderCancelled, OrderRejected, OrderShipped, OrderSnapshot,
    OrderStalled, ProductDeleted, ProductSnapshot, RedriveCreated, RedriveFinished, ReservationRepaired,
    UserDeleted, UserEmailConfirmationRequested, UserOrderPlaced, UserPasswordResetRequested, UserSnapshot,
    UserStatsRepaired,
};

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $name:literal from $source:literal;)+) => {
        /// The type of an event: the envelope's `type`, and the SNS message attribute that filter policies
        /// match.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $($(#[$doc])* $variant,)+
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name, `<thing>.<what happened>`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The envelope's `source`: the service that publishes this type.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)+ }
            }

            pub(crate) fn data_schema(self, generator: &mut SchemaGenerator) -> Schema {
                fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
                    generator.subschema_for::<T>()
                }
                match self { $(Self::$variant => schema::<$data>(generator),)+ }
            }
        }

        /// What happened: one variant per event type. It serialises as the envelope's `data`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum EventData {
            $($(#[$doc])* $variant($data),)+
        }

        impl EventData {
            /// The type of the event.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self { $(Self::$variant(_) => EventType::$variant,)+ }
            }

            pub(crate) fn aggregate(&self) -> String {
                match self { $(Self::$variant(data) => data.aggregate(),)+ }
            }

            pub(crate) fn story(&self) -> String {
                match self { $(Self::$variant(data) => data.story(),)+ }
            }

            pub(crate) fn parse(event_type: EventType, data: &RawValue) -> Result<Self, serde_json::Error> {
                Ok(match event_type {
                    $(EventType::$variant => Self::$variant(serde_json::from_str(data.get())?),)+
                })
            }
        }
    };
}

events! {
    /// An order was placed and waits for its stock.
    OrderCreated(OrderSnapshot) = "order.created" from "/orders";
    /// An order got its stock.
    OrderConfirmed(OrderSnapshot) = "order.confirmed" from "/orders";
    /// An order did not get its stock.
    OrderRejected(OrderRejected) = "order.rejected" from "/orders";
    /// An order was cancelled, before or after it got its stock.
    OrderCancelled(OrderCancelled) = "order.cancelled" from "/orders";
    /// An order is on its way.
    OrderShipped(OrderShipped) = "order.shipped" from "/orders";
    /// An order is with its customer.
    OrderDelivered(OrderSnapshot) = "order.delivered" from "/orders";
    /// An order has been pending for too long: one of its events may be lost.
    OrderStalled(OrderStalled) = "order.stalled" from "/orders";
    /// A product entered the catalogue.
    ProductCreated(ProductSnapshot) = "product.created" from "/products";
    /// A product's description or price changed.
    ProductUpdated(ProductSnapshot) = "product.updated" from "/products";
    /// A product left the catalogue.
    ProductDeleted(ProductDeleted) = "product.deleted" from "/products";
    /// Every line of an order is set aside.
    InventoryReserved(InventoryReserved) = "inventory.reserved" from "/products";
    /// An order cannot have all of its lines, so it gets none.
    InventoryRejected(InventoryRejected) = "inventory.rejected" from "/products";
    /// What was set aside for an order is for sale again.
    InventoryReleased(InventoryReleased) = "inventory.released" from "/products";
    /// A product's stock changed, for whatever reason.
    InventoryUpdated(InventoryUpdated) = "inventory.updated" from "/products";
    /// Fewer of a product are for sale than its threshold.
    InventoryLow(InventoryLow) = "inventory.low" from "/products";
    /// A product that was low no longer is.
    InventoryReplenished(InventoryReplenished) = "inventory.replenished" from "/products";
    /// The last of a product is gone.
    InventorySoldOut(InventorySoldOut) = "inventory.sold_out" from "/products";
    /// None of a product were for sale, and some are.
    InventoryBackInStock(InventoryBackInStock) = "inventory.back_in_stock" from "/products";
    /// A product left the catalogue, and its stock is of no more concern.
    InventoryClosed(InventoryClosed) = "inventory.closed" from "/products";
    /// A stock counter was put right.
    InventoryRepaired(InventoryRepaired) = "inventory.repaired" from "/products";
    /// An entry of the reservation ledger was put right.
    ReservationRepaired(ReservationRepaired) = "reservation.repaired" from "/products";
    /// Somebody registered.
    UserRegistered(UserSnapshot) = "user.registered" from "/users";
    /// An account changed: its name, its address, its password or its role.
    UserUpdated(UserSnapshot) = "user.updated" from "/users";
    /// A user's personal data was erased.
    UserDeleted(UserDeleted) = "user.deleted" from "/users";
    /// A user is to be mailed a token that sets another password.
    UserPasswordResetRequested(UserPasswordResetRequested) = "user.password_reset_requested" from "/users";
    /// A user is to be mailed a token that confirms the address of the account.
    UserEmailConfirmationRequested(UserEmailConfirmationRequested) = "user.email_confirmation_requested" from "/users";
    /// A confirmed order was counted in its user's statistics.
    UserOrderPlaced(UserOrderPlaced) = "user.order_placed" from "/users";
    /// A user's statistics, or their ledger, were put right.
    UserStatsRepaired(UserStatsRepaired) = "user.stats_repaired" from "/users";
    /// A mail was sent: the mail service has taken it.
    EmailSent(EmailSent) = "email.sent" from "/emails";
    /// The confirmation of an order was sent.
    EmailConfirmationSent(EmailSent) = "email.confirmation_sent" from "/emails";
    /// A mail did not reach its recipient, or was not wanted.
    EmailFailed(EmailFailed) = "email.failed" from "/emails";
    /// Somebody must look at something.
    AlertRaised(AlertRaised) = "alert.raised" from "/notifications";
    /// What an alert was about is over.
    AlertResolved(AlertResolved) = "alert.resolved" from "/notifications";
    /// An operator asked for dead letters to be sent again, or given up.
    RedriveCreated(RedriveCreated) = "redrive.created" from "/redrives";
    /// All of those letters were.
    RedriveFinished(RedriveFinished) = "redrive.finished" from "/redrives";
}

/// The text is not the name of an event type that this version of the code knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown event type")]
pub struct UnknownEventType;

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name).ok_or(UnknownEventType)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_distinct() {
        for (index, event_type) in EventType::ALL.iter().enumerate() {
            assert_eq!(event_type.as_str().parse(), Ok(*event_type));
            assert!(EventType::ALL[..index].iter().all(|other| other.as_str() != event_type.as_str()));
        }
        assert_eq!("order.exploded".parse::<EventType>(), Err(UnknownEventType));
    }
}
