//! The users service: accounts, sessions and roles, and what each user has ordered.
//!
//! | route or source | handler | binary |
//! |---|---|---|
//! | `POST /users` | [`register_user`] | register-user |
//! | `GET /users` | [`list_users`] | list-users |
//! | `GET /users/{id}` | [`get_user`] | get-user |
//! | `PATCH /users/{id}` | [`update_user`] | update-user |
//! | `DELETE /users/{id}` | [`delete_user`] | delete-user |
//! | `PUT /users/{id}/role` | [`set_user_role`] | set-user-role |
//! | `GET /users/{id}/stats` | [`get_user_stats`] | get-user-stats |
//! | `POST /sessions` | [`create_session`] | create-session |
//! | `POST /sessions/refresh` | [`refresh_session`] | refresh-session |
//! | `DELETE /sessions/current` | [`delete_session`] | delete-session |
//! | `GET /.well-known/jwks.json` | [`get_jwks`] | get-jwks |
//! | none: IAM alone | [`create_admin`] | create-admin |
//! | queue: `order.confirmed`, `order.cancelled` | [`record_user_stats`] | record-user-stats |
//! | schedule, operator | [`verify_user_stats`] | verify-user-stats |
//! | stream of the users table | [`publish_user_events`] | publish-user-events |
//!
//! [`account`], [`session`], [`password`] and [`limits`] decide and know nothing of AWS, as do [`ledger`] and [`stats`];
//! [`store`] is the only one that speaks DynamoDB. An account lies in the users table, whose stream is the
//! outbox: [`events`] reads from it what other services are told. Logins, sessions and counted attempts lie in
//! the sessions table, which has no stream: what proves who somebody is travels nowhere.
//!
//! Statistics are exactly-once although messages repeat and change order: each order of a user has an entry
//! in a ledger ([`ledger`]), and the entry and the statistics ([`stats`]) are written in one transaction.

pub mod account;
mod attempt;
pub mod audit;
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
pub mod lookup;
pub mod order_book;
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
