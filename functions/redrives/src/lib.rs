//! The redrives service.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `POST /redrives` | [`create_redrive`] |
//! | `GET /redrives/{id}` | [`get_redrive`] |
//! | the stream of `RedrivesTable` | [`publish_redrive_events`] |
//! <!-- /sync -->
//!
//! [`redrive`] knows nothing of AWS; [`store`] is the only module that speaks DynamoDB. A handler never publishes:
//! what is written is published by the table's stream, as [`events`] reads it.

pub mod create_redrive;
mod events;
pub mod get_redrive;
pub mod publish_redrive_events;
mod redrive;
mod store;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "redrives",
    routes: &[route::<create_redrive::CreateRedrive>(), route::<get_redrive::GetRedrive>()],
    others: &[publish_redrive_events::FUNCTION],
};
