//! The users service: accounts, sessions and roles, and what each user has ordered.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `POST /users` | [`accounts::register_user`] |
//! | `GET /users` | [`accounts::list_users`] |
//! | `GET /users/{id}` | [`accounts::get_user`] |
//! | `PATCH /users/{id}` | [`accounts::update_user`] |
//! | `DELETE /users/{id}` | [`accounts::delete_user`] |
//! | `PUT /users/{id}/role` | [`accounts::set_user_role`] |
//! | `POST /users/{id}/email-confirmation` | [`mail_proofs::request_email_confirmation`] |
//! | `POST /email-confirmations` | [`mail_proofs::confirm_email`] |
//! | `POST /password-resets` | [`mail_proofs::request_password_reset`] |
//! | `POST /password-resets/complete` | [`mail_proofs::reset_password`] |
//! | `GET /users/{id}/stats` | [`statistics::get_user_stats`] |
//! | `POST /sessions` | [`sessions::create_session`] |
//! | `POST /sessions/refresh` | [`sessions::refresh_session`] |
//! | `DELETE /sessions/current` | [`sessions::delete_session`] |
//! | `GET /.well-known/jwks.json` | [`sessions::get_jwks`] |
//! | an operator | [`accounts::create_admin`] |
//! | `RecordUserStatsQueue`: `order.cancelled`, `order.confirmed` | [`statistics::record_user_stats`] |
//! | `rate(1 day)`, or an operator | [`statistics::verify_user_stats`] |
//! | the stream of `UsersTable` | [`publish_user_events`] |
//! <!-- /sync -->
//!
//! A module for each subject, with its functions, its models and its part of the tables: [`accounts`], `sessions`,
//! [`mail_proofs`], [`statistics`]; `credentials` and `attempts` are what accounts and sessions both prove somebody by. [`table`] says
//! what lies where; of each subject only its `store`, and the rate limiter, speak DynamoDB.
//!
//! An account lies in the users table, whose stream is the outbox: `events` reads from it what is published to other
//! services. Logins, sessions and counted attempts lie in the sessions table, which has no stream: what proves who
//! somebody is travels nowhere.

pub mod accounts;
mod attempts;
mod credentials;
mod events;
pub mod mail_proofs;
pub mod publish_user_events;
mod secrets;
pub mod sessions;
pub mod statistics;
pub mod table;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "users",
    routes: &[
        route::<accounts::register_user::RegisterUser>(),
        route::<accounts::list_users::ListUsers>(),
        route::<accounts::get_user::GetUser>(),
        route::<accounts::update_user::UpdateUser>(),
        route::<accounts::delete_user::DeleteUser>(),
        route::<accounts::set_user_role::SetUserRole>(),
        route::<mail_proofs::request_email_confirmation::RequestEmailConfirmation>(),
        route::<mail_proofs::confirm_email::ConfirmEmail>(),
        route::<mail_proofs::request_password_reset::RequestPasswordReset>(),
        route::<mail_proofs::reset_password::ResetPassword>(),
        route::<statistics::get_user_stats::GetUserStats>(),
        route::<sessions::create_session::CreateSession>(),
        route::<sessions::refresh_session::RefreshSession>(),
        route::<sessions::delete_session::DeleteSession>(),
        route::<sessions::get_jwks::GetJwks>(),
    ],
    others: &[
        accounts::create_admin::FUNCTION,
        statistics::record_user_stats::FUNCTION,
        statistics::verify_user_stats::FUNCTION,
        publish_user_events::FUNCTION,
    ],
};
