//! The fields of an account in a request: what is allowed, and every error by name.

use shop_auth::Role;
use shop_http::{Code, FieldCode, Input, Node, Problem};
use shop_types::EmailAddress;

use crate::credentials::password::{Password, RESEMBLES_ACCOUNT};

const MAX_NAME: usize = 200;

#[derive(Debug)]
pub(crate) struct NewUser {
    pub(crate) email: EmailAddress,
    pub(crate) password: Password,
    /// The name: 1 to 200 characters.
    pub(crate) name: String,
}

impl NewUser {
    /// Reads the body of `POST /users`.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let email = body.required("email", email);
            let name = body.required("name", name);
            let password =
                body.required("password", |node| new_password(node, email.as_ref().zip(name.as_ref())));
            Some(Self { email: email?, password: password?, name: name? })
        })
    }
}

/// Changes of an account that somebody asks for: `None` leaves a field as it is.
#[derive(Debug, Default)]
pub(crate) struct UpdateRequest {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<EmailAddress>,
    pub(crate) password: Option<Password>,
    /// The password as it is: it must come with another address or password.
    pub(crate) current_password: Option<Password>,
}

impl UpdateRequest {
    /// The fields that are to change, by name.
    #[must_use]
    pub(crate) fn names(&self) -> String {
        let fields = [
            ("name", self.name.is_some()),
            ("email", self.email.is_some()),
            ("password", self.password.is_some()),
        ];
        let named: Vec<_> =
            fields.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect();
        named.join(",")
    }

    /// Reads the body of `PATCH /users/{id}`.
    ///
    /// # Errors
    /// 422 with every error, and for a body that changes nothing.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let needs_proof = body.has("email") || body.has("password");
            if !needs_proof && !body.has("name") {
                body.error(FieldCode::NothingToChange, "Name at least one field to change.");
            }
            let name = body.nullable("name", name);
            let email = body.nullable("email", email);
            let password = body.nullable("password", Password::read_new);
            let current_password = if needs_proof {
                body.required("current_password", Password::read_known).map(Some)
            } else {
                body.nullable("current_password", Password::read_known)
            };
            Some(Self {
                name: name?,
                email: email?,
                password: password?,
                current_password: current_password?,
            })
        })
    }
}

/// A new administrator, or one that is to be restored.
#[derive(Debug)]
pub(crate) struct AdminRequest {
    pub(crate) email: EmailAddress,
    /// The password: an account that is restored may keep its own.
    pub(crate) password: Option<Password>,
    /// The name: an account that is restored keeps its own.
    pub(crate) name: String,
    /// Whether an account that is there becomes an administrator's.
    pub(crate) restore: bool,
}

impl AdminRequest {
    /// Reads the payload of create-admin.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let email = body.required("email", email);
            let name = body.required("name", name);
            let restore = body.optional("restore", boolean);
            let own = email.as_ref().zip(name.as_ref());
            let password = if restore == Some(Some(true)) {
                body.optional("password", |node| new_password(node, own))
            } else {
                body.required("password", |node| new_password(node, own)).map(Some)
            };
            Some(Self {
                email: email?,
                password: password?,
                name: name?,
                restore: restore?.unwrap_or_default(),
            })
        })
    }
}

/// Reads the body of `DELETE /users/{id}` of one's own account. None at all is one without a password.
pub(crate) fn read_current_password(input: Result<Input<'_>, Problem>) -> Result<Password, Problem> {
    let input = match input {
        Err(problem) if problem.code() == Code::EmptyBody => Input::parse(b"{}")?,
        input => input?,
    };
    input.read_object(|body| body.required("current_password", Password::read_known))
}

/// Reads the body of `PUT /users/{id}/role`.
pub(crate) fn read_role(input: Input<'_>) -> Result<Role, Problem> {
    input.read_object(|body| body.required("role", role))
}

/// `own` is what the password must not be.
fn new_password(node: &Node<'_>, own: Option<(&EmailAddress, &String)>) -> Option<Password> {
    let password = Password::read_new(node)?;
    if own.is_some_and(|(email, name)| password.resembles(email, name)) {
        let (code, detail) = RESEMBLES_ACCOUNT;
        node.error(code, detail);
        return None;
    }
    Some(password)
}

fn boolean(node: &Node<'_>) -> Option<bool> {
    node.boolean()
}

pub(crate) fn email(node: &Node<'_>) -> Option<EmailAddress> {
    node.parsed(FieldCode::InvalidEmail, "This must be an e-mail address in ASCII, such as ada@example.com.")
}

fn name(node: &Node<'_>) -> Option<String> {
    node.line(1..=MAX_NAME)
}

fn role(node: &Node<'_>) -> Option<Role> {
    let roles = [("customer", Role::Customer), ("admin", Role::Admin)];
    node.one_of(&roles, FieldCode::UnknownRole, "This must be customer or admin.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors<T: std::fmt::Debug>(
        body: &str,
        read: fn(Input<'_>) -> Result<T, Problem>,
    ) -> Vec<(String, &'static str)> {
        let problem = read(Input::parse(body.as_bytes()).unwrap()).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code.as_str())).collect()
    }

    fn named(errors: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        errors.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
    }

    #[test]
    fn every_error_of_a_registration_is_reported() {
        let expected = [("/email", "missing"), ("/name", "missing"), ("/password", "missing")];
        assert_eq!(errors("{}", NewUser::read), named(&expected));
        let body = r#"{"email": "ada", "password": "short", "name": " ", "role": "admin"}"#;
        let expected = [
            ("/email", "invalid_email"),
            ("/name", "blank"),
            ("/password", "wrong_length"),
            ("/role", "unexpected"),
        ];
        assert_eq!(errors(body, NewUser::read), named(&expected));
        let body =
            r#"{"email": "ada@example.com", "password": "Augusta Ada King!", "name": "Augusta Ada King"}"#;
        assert_eq!(errors(body, NewUser::read), named(&[("/password", "resembles_account")]));
    }

    #[test]
    fn another_address_or_password_needs_the_password() {
        for body in [r#"{"email": "ada@example.com"}"#, r#"{"password": "correct horse battery"}"#] {
            assert_eq!(errors(body, UpdateRequest::read), named(&[("/current_password", "missing")]));
        }
        for body in ["{}", r#"{"current_password": "x"}"#] {
            assert_eq!(errors(body, UpdateRequest::read), named(&[("", "nothing_to_change")]));
        }
        let request = UpdateRequest::read(Input::parse(br#"{"name": "Ada"}"#).unwrap()).unwrap();
        assert!(request.name.is_some() && request.current_password.is_none());
        assert_eq!(errors(r#"{"name": null}"#, UpdateRequest::read), named(&[("/name", "wrong_type")]));
    }

    #[test]
    fn a_role_is_customer_or_admin() {
        let read = |text: &str| read_role(Input::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(read(r#"{"role": "admin"}"#), Role::Admin);
        assert_eq!(read(r#"{"role": "customer"}"#), Role::Customer);
        assert_eq!(errors(r#"{"role": "Admin"}"#, read_role), named(&[("/role", "unknown_role")]));
    }

    #[test]
    fn no_error_repeats_what_was_sent() {
        let body = r#"{"email": "marked-address", "password": "marked-pass", "name": "x", "marked": 1}"#;
        let problem = NewUser::read(Input::parse(body.as_bytes()).unwrap()).unwrap_err();
        let text: String = problem.errors().iter().map(|error| error.detail.clone()).collect();
        assert!(!text.contains("marked"), "{text}");
    }
}
