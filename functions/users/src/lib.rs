//! The users service: accounts, sessions and roles, and what each user has ordered.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `POST /users` | [`register_user`] |
//! | `GET /users` | [`list_users`] |
//! | `GET /users/{id}` | [`get_user`] |
//! | `PATCH /users/{id}` | [`update_user`] |
//! | `DELETE /users/{id}` | [`delete_user`] |
//! | `PUT /users/{id}/role` | [`set_user_role`] |
//! | `GET /users/{id}/stats` | [`get_user_stats`] |
//! | `POST /sessions` | [`create_session`] |
//! | `POST /sessions/refresh` | [`refresh_session`] |
//! | `DELETE /sessions/current` | [`delete_session`] |
//! | `GET /.well-known/jwks.json` | [`get_jwks`] |
//! | an operator | [`create_admin`] |
//! | `RecordUserStatsQueue`: `order.cancelled`, `order.confirmed` | [`record_user_stats`] |
//! | `rate(1 day)`, or an operator | [`verify_user_stats`] |
//! | the stream of `UsersTable` | [`publish_user_events`] |
//! <!-- /sync -->
//!
//! [`account`], [`session`], [`password`] and [`limits`] decide and know nothing of AWS, as do [`ledger`] and [`stats`];
//! [`store`] is the only one that speaks DynamoDB. An account lies in the users table, whose stream is the
//! outbox: [`events`] reads from it what is published to other services. Logins, sessions and counted attempts lie in
//! the sessions table, which has no stream: what proves who somebody is travels nowhere.
//!
//! Statistics are exactly-once although messages repeat and change order: each order of a user has an entry
//! in a ledger ([`ledger`]), and the entry and the statistics ([`stats`]) are written in one transaction.

pub mod account;
mod attempt;
pub mod audit;
pub mod blind_index;
pub mod create_admin;
pub mod create_session;
pub mod delete_session;
pub mod delete_user;
pub mod device;
pub mod events;
pub mod fields;
pub mod get_jwks;
pub mod get_user;
pub mod get_user_stats;
pub mod guessable;
pub mod ledger;
pub mod limits;
pub mod list_users;
pub mod orders_read_model;
pub mod password;
pub mod publish_user_events;
pub mod record_user_stats;
mod recorder;
pub mod refresh_session;
pub mod register_user;
mod registration;
pub mod secrets;
pub mod session;
pub mod set_user_role;
pub mod stats;
pub mod store;
#[cfg(test)]
mod testing;
pub mod update_user;
pub mod verify_user_stats;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "users",
    routes: &[
        route::<register_user::RegisterUser>(),
        route::<list_users::ListUsers>(),
        route::<get_user::GetUser>(),
        route::<update_user::UpdateUser>(),
        route::<delete_user::DeleteUser>(),
        route::<set_user_role::SetUserRole>(),
        route::<get_user_stats::GetUserStats>(),
        route::<create_session::CreateSession>(),
        route::<refresh_session::RefreshSession>(),
        route::<delete_session::DeleteSession>(),
        route::<get_jwks::GetJwks>(),
    ],
    others: &[
        create_admin::FUNCTION,
        record_user_stats::FUNCTION,
        verify_user_stats::FUNCTION,
        publish_user_events::FUNCTION,
    ],
};
