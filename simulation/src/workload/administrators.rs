//! Administrators who make, unmake and outlive one another: what they do, with tokens of now and of before, and
//! whether an answer shows power that had been taken away before the request.

use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use shop_auth::Role;
use shop_types::UserId;

use super::client::{Client, Request};
use super::plan::{Governing, Shopper};
use crate::violation::Violation;

/// The claims that power is asked of.
#[derive(Deserialize)]
struct Claims {
    sub: UserId,
    role: Role,
    epoch: u64,
    sid: Option<String>,
}

/// Does something that only an administrator may do, with the token of now or one of before. Whoever logs out tries at
/// once what is left of the token.
pub(super) async fn govern(client: &Client, who: Shopper, what: &Governing, use_old: bool) {
    let tokens = client.tokens(who);
    let token = if use_old { tokens.first() } else { tokens.last() };
    let Some(token) = token else { return };
    let is_done = attempt(client, who, what, token).await;
    let session = claims(token).and_then(|claims| claims.sid);
    if let (Governing::LogOut, true, Some(session)) = (what, is_done, session) {
        client.history().logged_out.insert(session);
        attempt(client, who, &Governing::ListUsers, token).await;
    }
}

/// Does it by this token. Whether it was answered with a success, which is a violation where the token has no power.
async fn attempt(client: &Client, who: Shopper, what: &Governing, token: &str) -> bool {
    let role = |role: &str| Some(json!({ "role": role }));
    let user = |whom: Shopper| client.user(whom);
    let (method, path, body) = match what {
        Governing::ListUsers => (Method::GET, Some("/users".to_owned()), None),
        Governing::LogOut => (Method::DELETE, Some("/sessions/current".to_owned()), None),
        Governing::StepDown => (Method::PUT, Some("/users/me/role".to_owned()), role("customer")),
        Governing::Promote(whom) => {
            (Method::PUT, user(*whom).map(|id| format!("/users/{id}/role")), role("admin"))
        }
        Governing::Demote(whom) => {
            (Method::PUT, user(*whom).map(|id| format!("/users/{id}/role")), role("customer"))
        }
    };
    let Some(path) = path else { return false };
    // Whose sessions end, if somebody's do.
    let ended = match what {
        Governing::ListUsers => None,
        Governing::LogOut | Governing::StepDown => claims(token).map(|claims| claims.sub.to_string()),
        Governing::Promote(whom) | Governing::Demote(whom) => user(*whom),
    };
    let people = client.people();
    if let Some(user) = &ended {
        people.begin_ending(user);
    }
    let had_power = has_power(client, token);
    let authorization = format!("Bearer {token}");
    // As a guest, who has no token of its own: the header is the one that is meant.
    let mut request = Request::new(Shopper::Guest, method.clone(), &path);
    request = request.headers([("authorization", authorization.as_str())]);
    if let Some(body) = &body {
        request = request.body(body);
    }
    let answer = client.send(&request).await;
    if let Some(user) = &ended {
        people.end_ending(user);
    }
    let is_done = (200..300).contains(&answer.status);
    if is_done && !had_power && !matches!(what, Governing::LogOut) {
        let seen = format!("{who:?}, {method} {path} was answered with {}", answer.status);
        client.report_violation(Violation::new("power-that-was-taken-is-gone", seen));
    }
    is_done
}

/// Whether somebody is an administrator at this moment, by the token that their requests carry.
pub(super) fn rules(client: &Client, who: Shopper) -> bool {
    client.tokens(who).last().is_some_and(|token| has_power(client, token))
}

/// Whether the account, as it is written at this moment, gives a token's owner an administrator's power, and nobody has
/// logged out by it.
fn has_power(client: &Client, token: &str) -> bool {
    claims(token).is_some_and(|claims| {
        if claims.sid.is_some_and(|session| client.history().logged_out.contains(&session)) {
            return false;
        }
        let model = client.model().lock();
        let account = model.services.users.account(&claims.sub);
        claims.role == Role::Admin
            && account.is_some_and(|account| {
                account.profile.is_some()
                    && account.role == Role::Admin
                    && account.session_epoch == claims.epoch
            })
    })
}

fn claims(token: &str) -> Option<Claims> {
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1)?.as_bytes()).ok()?;
    serde_json::from_slice(&payload).ok()
}
