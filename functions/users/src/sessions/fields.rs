//! The fields of a log-in and of a refresh.

use shop_http::{Input, Node, Problem};
use shop_types::EmailAddress;

use crate::accounts::fields::email;
use crate::credentials::password::Password;

#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) email: EmailAddress,
    pub(crate) password: Password,
    /// What an earlier log-in gave this device, whatever it is worth.
    pub(crate) device_token: Option<String>,
}

impl Credentials {
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let email = body.required("email", email);
            let password = body.required("password", Password::read_known);
            let device_token = body.optional("device_token", |node| node.opaque_text(0..=512));
            Some(Self { email: email?, password: password?, device_token: device_token? })
        })
    }
}

/// Reads a body in which nothing is to be.
pub(crate) fn read_nothing(input: Input<'_>) -> Result<(), Problem> {
    input.read_object(|_| Some(()))
}

/// What the body of `POST /sessions/refresh` may be, whoever sends it: a page holds its token elsewhere, and sends none.
pub(crate) fn read_if_any(input: Input<'_>) -> Result<Option<String>, Problem> {
    input.read_object(|body| body.optional("refresh_token", token))
}

/// Reads the body of `POST /sessions/refresh`: the token's text, whatever it is worth.
pub(crate) fn read_refresh_token(input: Input<'_>) -> Result<String, Problem> {
    input.read_object(|body| body.required("refresh_token", token))
}

fn token(node: &Node<'_>) -> Option<String> {
    node.opaque_text(1..=512)
}
