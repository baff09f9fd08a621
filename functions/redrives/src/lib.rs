//! The redrives service: what consumers gave up on is kept, and an operator has it sent again, or gives it up.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /monitor/dead-letters` | [`list_dead_letter_groups`] |
//! | `GET /monitor/dead-letters/{id}` | [`get_dead_letter`] |
//! | `GET /monitor/queues/{id}/dead-letters` | [`list_dead_letters`] |
//! | `POST /monitor/redrives` | [`create_redrive`] |
//! | `POST /monitor/discards` | [`create_discard`] |
//! | `GET /monitor/redrives/{id}` | [`get_redrive`] |
//! | `PATCH /monitor/redrives/{id}` | [`update_redrive`] |
//! | `rate(1 minute)`, or an operator | [`collect_dead_letters`] |
//! | the stream of `RedrivesTable` | [`publish_redrive_events`] |
//! | `RunRedriveQueue`:  | [`run_redrive`] |
//! <!-- /sync -->
//!
//! [`letter`], [`group`] and [`redrive`] know nothing of AWS; [`store`] is the only module that speaks DynamoDB. A handler
//! never publishes: what is written of a redrive is published by its table's stream, as [`events`] reads it. Dead letters
//! have no stream.

mod asking;
pub mod collect_dead_letters;
pub mod create_discard;
pub mod create_redrive;
mod events;
pub mod get_dead_letter;
pub mod get_redrive;
mod group;
pub mod letter;
pub mod list_dead_letter_groups;
pub mod list_dead_letters;
pub mod publish_redrive_events;
mod queues;
pub mod redrive;
pub mod run_redrive;
mod store;
pub mod update_redrive;
mod work;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "redrives",
    routes: &[
        route::<list_dead_letter_groups::ListDeadLetterGroups>(),
        route::<get_dead_letter::GetDeadLetter>(),
        route::<list_dead_letters::ListDeadLetters>(),
        route::<create_redrive::CreateRedrive>(),
        route::<create_discard::CreateDiscard>(),
        route::<get_redrive::GetRedrive>(),
        route::<update_redrive::UpdateRedrive>(),
    ],
    others: &[collect_dead_letters::FUNCTION, publish_redrive_events::FUNCTION, run_redrive::FUNCTION],
};
