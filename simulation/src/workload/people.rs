//! People with an account of the shop's own: what they do with it.

use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client, Request};
use super::held::Session;
use super::plan::{Action, Person, Shopper};
use crate::violation::Violation;

/// Carries out what somebody does with the own account.
pub(super) async fn act(client: &Client, number: usize, person: &Person, action: &Action) {
    let who = Shopper::Person(number);
    match action {
        Action::Register { key } => register(client, number, person, key.as_deref()).await,
        Action::LogIn => log_in(client, number, person).await,
        Action::Refresh { used } => refresh(client, number, *used).await,
        Action::Rename => {
            let body = json!({ "name": "Another Name" });
            client.persist(&Request::new(who, Method::PATCH, "/users/me").body(&body)).await;
        }
        Action::ChangePassword => change_password(client, number, person).await,
        Action::LogOut => log_out(client, number).await,
        Action::Leave => leave(client, number).await,
        _ => {}
    }
}

async fn register(client: &Client, number: usize, person: &Person, key: Option<&str>) {
    let body = json!({ "email": person.email, "password": person.password, "name": "A Name" });
    // Without a key a second try finds the address taken, perhaps by the first.
    let request = Request::new(Shopper::Guest, Method::POST, "/users").body(&body).key(key);
    let answer = match key {
        Some(_) => client.persist(&request).await,
        None => client.send(&request).await,
    };
    if answer.status == 201
        && let Some(id) = answer.body["id"].as_str()
    {
        client.history().registered.push(id.to_owned());
    }
    client.people().change(number, |known| known.passwords.push(person.password.clone()));
}

async fn log_in(client: &Client, number: usize, person: &Person) {
    let known = client.people().known(number);
    for password in known.passwords.iter().rev() {
        let body = json!({ "email": person.email, "password": password });
        let request = Request::new(Shopper::Guest, Method::POST, "/sessions").body(&body);
        let answer = client.persist(&request).await;
        if let Some(session) = session(&answer, Vec::new()) {
            if known.has_left {
                let seen = format!("{} logged in after the deletion: {}", person.email, session.user);
                client.report_violation(Violation::new("a-deleted-account-is-gone", seen));
            }
            client.people().change(number, |known| known.hold(session));
            return;
        }
    }
}

async fn refresh(client: &Client, number: usize, used: bool) {
    let Some(held) = client.people().session(number) else { return };
    let (token, is_used) = match held.used.last().filter(|_| used) {
        Some(token) => (token.clone(), true),
        None => (held.refresh.clone(), false),
    };
    let body = json!({ "refresh_token": token });
    // A second try would be a reuse: whoever loses the answer logs in again.
    let request = Request::new(Shopper::Guest, Method::POST, "/sessions/refresh").body(&body);
    let answer = client.send(&request).await;
    let past = [held.used.as_slice(), std::slice::from_ref(&held.refresh)].concat();
    match session(&answer, past) {
        // For some seconds the token before the last leads to the last one.
        Some(session) if is_used && session.refresh == held.refresh => {}
        Some(_) if is_used => {
            let seen = format!("{} renewed a session with a token that had been used", held.user);
            client.report_violation(Violation::new("a-used-token-is-worthless", seen));
        }
        Some(session) => client.people().change(number, |known| known.hold(session)),
        None => {}
    }
}

async fn change_password(client: &Client, number: usize, person: &Person) {
    let known = client.people().known(number);
    let (Some(current), true) = (known.passwords.last(), known.session.is_some()) else { return };
    let password = format!("{} {}", person.password, known.passwords.len());
    let body = json!({ "password": password, "current_password": current });
    // Whatever is answered, it may be the account's from now on.
    client.people().change(number, |known| known.passwords.push(password));
    client.send(&Request::new(Shopper::Person(number), Method::PATCH, "/users/me").body(&body)).await;
}

async fn log_out(client: &Client, number: usize) {
    let Some(held) = client.people().session(number) else { return };
    let authorization = format!("Bearer {}", held.access);
    // As a guest, who has no token of its own: by then somebody may have logged in anew.
    let by_token = |method, path| {
        Request::new(Shopper::Guest, method, path).headers([("authorization", authorization.as_str())])
    };
    if client.send(&by_token(Method::DELETE, "/sessions/current")).await.status != 204 {
        return;
    }
    let body = json!({ "name": "Nobody" });
    let answer = client.send(&by_token(Method::PATCH, "/users/me").body(&body)).await;
    if (200..300).contains(&answer.status) {
        let seen = format!("{} has another name after the log-out", held.user);
        client.report_violation(Violation::new("an-ended-session-changes-nothing", seen));
    }
}

async fn leave(client: &Client, number: usize) {
    let Some(held) = client.people().session(number) else { return };
    let who = Shopper::Person(number);
    for password in client.people().known(number).passwords.iter().rev() {
        let body = json!({ "current_password": password });
        let answer = client.persist(&Request::new(who, Method::DELETE, "/users/me").body(&body)).await;
        if answer.status == 204 {
            client.people().change(number, |known| known.has_left = true);
            client.history().left.push(held.user);
            return;
        }
    }
}

/// The session that an answer gives.
fn session(answer: &Answer, used: Vec<String>) -> Option<Session> {
    let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
    let is_given = matches!(answer.status, 200 | 201);
    let refresh: Value = answer.body["refresh_token"].clone();
    Some(Session {
        user: text("user_id")?,
        access: text("access_token")?,
        refresh: refresh.as_str()?.to_owned(),
        used,
    })
    .filter(|_| is_given)
}
