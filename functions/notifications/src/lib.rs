//! The notifications service: what somebody must be told of, and whether it is over.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /alerts` | [`list_alerts`] |
//! | the stream of `AlertsTable` | [`publish_alert_events`] |
//! | `RaiseAlertQueue`: `inventory.back_in_stock`, `inventory.closed`, `inventory.low`, `inventory.replenished`, `inventory.sold_out` | [`raise_alert`] |
//! <!-- /sync -->
//!
//! [`alert`] knows nothing of AWS; [`store`] is the only module that speaks DynamoDB, and [`mail`] the only one that
//! speaks to the topic of those who are told by mail. A consumer publishes no events: what is written is published by
//! the table's stream, as [`events`] reads it.

mod alert;
mod events;
pub mod list_alerts;
mod mail;
pub mod publish_alert_events;
pub mod raise_alert;
mod store;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "notifications",
    routes: &[route::<list_alerts::ListAlerts>()],
    others: &[publish_alert_events::FUNCTION, raise_alert::FUNCTION],
};
