//! Accounts: who is registered, who may change what of it, and what is left of somebody who goes.

pub mod create_admin;
pub mod delete_user;
pub(crate) mod fields;
pub mod get_user;
pub mod list_users;
pub(crate) mod path;
mod proof;
pub mod register_user;
pub(crate) mod registration;
pub mod set_user_role;
pub(crate) mod store;
pub mod update_user;
pub mod user;
