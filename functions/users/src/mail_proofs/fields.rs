//! The fields of requests for mails, and of what is proved by one.

use shop_auth::MAIL_TOKEN_MAX_LENGTH;
use shop_http::{Input, Node, Problem};
use shop_types::EmailAddress;

use crate::accounts::fields::email;
use crate::credentials::password::Password;

/// Another password, and the token that allows it.
#[derive(Debug)]
pub(crate) struct NewPassword {
    /// The token's text, whatever it is worth.
    pub(crate) token: String,
    pub(crate) password: Password,
}

impl NewPassword {
    /// Reads the body of `POST /password-resets/complete`.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let token = body.required("token", token);
            let password = body.required("password", Password::read_new);
            Some(Self { token: token?, password: password? })
        })
    }
}

/// Reads the body of `POST /password-resets`.
pub(crate) fn read_email(input: Input<'_>) -> Result<EmailAddress, Problem> {
    input.read_object(|body| body.required("email", email))
}

/// Reads the body of `POST /email-confirmations`: the token's text, whatever it is worth.
pub(crate) fn read_token(input: Input<'_>) -> Result<String, Problem> {
    input.read_object(|body| body.required("token", token))
}

fn token(node: &Node<'_>) -> Option<String> {
    node.opaque_text(1..=MAIL_TOKEN_MAX_LENGTH)
}
