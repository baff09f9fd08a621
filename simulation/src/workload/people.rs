//! People with an account of the shop's own: what they do with it.

use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client, Request};
use super::held::{Endings, Session};
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
        Action::ChangeAddress => change_address(client, number, person).await,
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
    client.people().change(number, |known| {
        known.passwords.push(person.password.clone());
        known.addresses.push(person.email.clone());
    });
}

async fn log_in(client: &Client, number: usize, person: &Person) {
    let known = client.people().known(number);
    let of_address =
        |email: &String| known.passwords.iter().rev().map(|one| (email.clone(), one.clone())).collect();
    let pairs: Vec<Vec<(String, String)>> = known.addresses.iter().rev().map(of_address).collect();
    for (email, password) in pairs.into_iter().flatten() {
        let body = json!({ "email": email, "password": password });
        let request = Request::new(Shopper::Guest, Method::POST, "/sessions").body(&body);
        let endings = client.people().all_endings();
        let answer = client.persist(&request).await;
        if let Some(mut session) = session(&answer, Vec::new()) {
            if known.has_left {
                let seen = format!("{} logged in after the deletion: {}", person.email, session.user);
                client.report_violation(Violation::new("a-deleted-account-is-gone", seen));
            }
            let before = endings.get(&session.user).copied().unwrap_or_default();
            session.since = endings_since(client, &session.user, before);
            client.people().change(number, |known| known.hold(session));
            return;
        }
    }
}

/// The endings of a user's sessions until now, if nothing was under way before and nothing has begun since.
fn endings_since(client: &Client, user: &str, before: Endings) -> Option<Endings> {
    let now = client.people().all_endings().get(user).copied().unwrap_or_default();
    (before == now && !now.are_under_way()).then_some(now)
}

async fn refresh(client: &Client, number: usize, used: bool) {
    let people = client.people();
    let Some(held) = people.session(number) else { return };
    let (token, is_used) = match held.used.last().filter(|_| used) {
        Some(token) => (token.clone(), true),
        None => (held.refresh.clone(), false),
    };
    let lasts = held.since.is_some_and(|since| endings_since(client, &held.user, since).is_some());
    // To others that renew it meanwhile it is an ending: one of the two is left with a token that was used.
    people.begin_ending(&held.user);
    let own = people.all_endings().get(&held.user).copied().unwrap_or_default();
    let body = json!({ "refresh_token": token });
    // A second try would be a reuse: whoever loses the answer logs in again.
    let request = Request::new(Shopper::Guest, Method::POST, "/sessions/refresh").body(&body);
    let answer = client.send(&request).await;
    let is_alone = people.all_endings().get(&held.user) == Some(&own);
    people.end_ending(&held.user);
    let past = [held.used.as_slice(), std::slice::from_ref(&held.refresh)].concat();
    match session(&answer, past) {
        // For some seconds the token before the last leads to the last one.
        Some(session) if is_used && session.refresh == held.refresh => {}
        Some(_) if is_used => {
            let seen = format!("{} renewed a session with a token that had been used", held.user);
            client.report_violation(Violation::new("a-used-token-is-worthless", seen));
        }
        Some(mut session) => {
            let now = people.all_endings().get(&session.user).copied();
            session.since = now.filter(|_| lasts && is_alone);
            people.change(number, |known| known.hold(session));
        }
        None if answer.status == 401 && lasts && is_alone && !is_used => {
            let seen = format!("{} was refused a session that nothing had ended: {}", held.user, answer.body);
            client.report_violation(Violation::new("a-session-lasts", seen));
        }
        None => {}
    }
}

/// Sends what may end the sessions of a user.
async fn ending(client: &Client, user: &str, send: impl Future<Output = Answer>) -> Answer {
    client.people().begin_ending(user);
    let answer = send.await;
    client.people().end_ending(user);
    answer
}

async fn change_address(client: &Client, number: usize, person: &Person) {
    let known = client.people().known(number);
    let (Some(current), Some(session)) = (known.passwords.last(), &known.session) else { return };
    let is_moved = known.addresses.last() != Some(&person.email);
    let address = if is_moved { person.email.clone() } else { format!("moved-{number}-{}", person.email) };
    let body = json!({ "email": address, "current_password": current });
    // Whatever is answered, it may be the account's from now on.
    client.people().change(number, |known| known.addresses.push(address));
    let request = Request::new(Shopper::Person(number), Method::PATCH, "/users/me").body(&body);
    ending(client, &session.user, client.send(&request)).await;
}

async fn change_password(client: &Client, number: usize, person: &Person) {
    let known = client.people().known(number);
    let (Some(current), Some(session)) = (known.passwords.last(), &known.session) else { return };
    let password = format!("{} {}", person.password, known.passwords.len());
    let body = json!({ "password": password, "current_password": current });
    // Whatever is answered, it may be the account's from now on.
    client.people().change(number, |known| known.passwords.push(password));
    let request = Request::new(Shopper::Person(number), Method::PATCH, "/users/me").body(&body);
    ending(client, &session.user, client.send(&request)).await;
}

async fn log_out(client: &Client, number: usize) {
    let Some(held) = client.people().session(number) else { return };
    let authorization = format!("Bearer {}", held.access);
    // As a guest, who has no token of its own: by then somebody may have logged in anew.
    let by_token = |method, path| {
        Request::new(Shopper::Guest, method, path).headers([("authorization", authorization.as_str())])
    };
    let request = by_token(Method::DELETE, "/sessions/current");
    if ending(client, &held.user, client.send(&request)).await.status != 204 {
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
        let request = Request::new(who, Method::DELETE, "/users/me").body(&body);
        let answer = ending(client, &held.user, client.persist(&request)).await;
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
        since: None,
    })
    .filter(|_| is_given)
}
