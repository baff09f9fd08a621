//! The monitor: what has happened, to which order, in which queue, and what is still to happen.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /monitor/events` | [`list_events`] |
//! | `GET /monitor/stories/{id}` | [`get_story`] |
//! | `GET /monitor/queues` | [`list_queues`] |
//! | `GET /monitor/settings` | [`get_settings`] |
//! | `JournalQueue`: every event, and receipts | [`journal_event`] |
//! <!-- /sync -->
//!
//! [`story`], [`entry`], [`safe`], [`packing`] and [`traffic`] know nothing of AWS; [`store`] is the only module that speaks
//! DynamoDB. It publishes nothing: what it keeps is there to be read, for thirty days.

mod consumers;
mod entry;
pub mod get_settings;
pub mod get_story;
pub mod journal_event;
pub mod list_events;
pub mod list_queues;
mod packing;
mod query;
mod safe;
mod store;
mod story;
mod traffic;

use shop_http::{Service, route};

pub use consumers::{CONSUMERS, Consumer};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "monitor",
    routes: &[
        route::<list_events::ListEvents>(),
        route::<get_story::GetStory>(),
        route::<list_queues::ListQueues>(),
        route::<get_settings::GetSettings>(),
    ],
    others: &[journal_event::FUNCTION],
};
