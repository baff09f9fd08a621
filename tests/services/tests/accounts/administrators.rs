//! Administrators: the last one stays, power that was taken away takes nothing away, and an operator restores one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{BoxFuture, FutureExt, join};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, PASSWORD, Service, simulate};
use shop_local::cloud::{Call, Fault, Interceptor, Options};

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

async fn set_role(service: &Service, by: &Account, of: &Account, role: &str) -> Result<Answer> {
    let path = format!("/users/{}/role", of.id);
    service.send_as(by, Method::PUT, &path, Some(&json!({ "role": role }))).await
}

async fn delete(service: &Service, by: &Account, of: &Account) -> Result<Answer> {
    service.send_as(by, Method::DELETE, &format!("/users/{}", of.id), None).await
}

async fn is_admin(service: &Service, account: &Account) -> Result<bool> {
    let answer = service.try_log_in(&account.email, PASSWORD).await?;
    Ok(answer.status == 201 && answer.body["role"] == "admin")
}

#[test]
fn the_last_administrator_neither_steps_down_nor_leaves() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let ada = service.new_administrator("ada@example.com").await?;
        set_role(&service, &ada, &ada, "customer").await?.problem(409, "last_administrator")?;
        // Whatever password is given, and without one.
        service.leave(&ada).await?.problem(409, "last_administrator")?;
        service.send_as(&ada, Method::DELETE, "/users/me", None).await?.problem(409, "last_administrator")?;
        // Nothing is changed by it.
        let me = service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        assert_eq!((&me.body["role"], &me.body["version"]), (&json!("admin"), &json!(1)));
        // With another one it goes, and the other one is then the last.
        let eve = service.new_administrator("eve@example.com").await?;
        set_role(&service, &ada, &ada, "customer").await?.expect(200)?;
        set_role(&service, &eve, &eve, "customer").await?.problem(409, "last_administrator")?;
        set_role(&service, &eve, &ada, "admin").await?.expect(200)?;
        delete(&service, &service.log_in("ada@example.com").await?, &eve).await?.expect(204)?;
        let ada = service.log_in("ada@example.com").await?;
        service.leave(&ada).await?.problem(409, "last_administrator")?;
        Ok(())
    })
}

/// Gives each call of two requests its turn.
#[derive(Default)]
struct Turns(Mutex<Option<State>>);

struct State {
    start: tokio::time::Instant,
    /// Whose turn it is, turn by turn.
    order: Vec<usize>,
    /// The requests by their environments, and their calls so far.
    requests: BTreeMap<u64, (usize, usize)>,
}

impl Turns {
    fn arm(&self, order: Vec<usize>) {
        let state = State { start: tokio::time::Instant::now(), order, requests: BTreeMap::new() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// When a call has its turn; none where there is none for it.
    fn turn(&self, call: &Call) -> Option<tokio::time::Instant> {
        const TURN: Duration = Duration::from_millis(200);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = state.as_mut()?;
        let next = state.requests.len();
        let (request, calls) = state.requests.entry(call.environment).or_insert((next, 0));
        let turns = state.order.iter().enumerate().filter(|(_, whose)| **whose == *request);
        let (turn, _) = turns.skip(*calls).map(|(turn, whose)| (turn, *whose)).next()?;
        *calls += 1;
        Some(state.start + TURN * u32::try_from(turn + 1).ok()?)
    }
}

impl Interceptor for Turns {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_theirs = matches!(&*call.caller, "set-user-role" | "delete-user");
        let turn = if is_theirs { self.turn(call) } else { None };
        async move {
            if let Some(turn) = turn {
                tokio::time::sleep_until(turn).await;
            }
            None
        }
        .boxed()
    }
}

/// All orders of so many turns each.
fn orders(of_first: usize, of_second: usize) -> Vec<Vec<usize>> {
    if of_first == 0 && of_second == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (whose, rest) in
        [(0, of_first.checked_sub(1).zip(Some(of_second))), (1, Some(of_first).zip(of_second.checked_sub(1)))]
    {
        let Some((first, second)) = rest else { continue };
        all.extend(orders(first, second).into_iter().map(|rest| [vec![whose], rest].concat()));
    }
    all
}

/// Two administrators and nobody else, who take each other's power away at once, in every order of their calls.
fn at_once(
    seed: u64,
    calls: usize,
    act: &impl AsyncFn(&Service, &Account, &Account) -> Result<Answer>,
) -> Result<()> {
    simulate(async {
        let turns = Arc::new(Turns::default());
        let options = Options { interceptor: Some(turns.clone()), ..Options::simulated(seed) };
        let service = Service::start(&users::SERVICE.functions(), options).await?;
        let ada = service.new_administrator("ada@example.com").await?;
        // Two environments are started, so that what follows is the requests' own calls.
        let nobody = Account { id: "usr_00000000000000000000000000".to_owned(), ..ada.clone() };
        let (one, two) = join(act(&service, &ada, &nobody), act(&service, &ada, &nobody)).await;
        for answer in [one?, two?] {
            answer.problem(404, "not_found")?;
        }
        for (n, order) in orders(calls, calls).into_iter().enumerate() {
            let one = service.log_in("ada@example.com").await?;
            let two = service.new_administrator(&format!("eve-{n}@example.com")).await?;
            turns.arm(order.clone());
            let (first, second) = join(act(&service, &one, &two), act(&service, &two, &one)).await;
            let (first, second) = (first?, second?);
            *turns.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
            let done = |answer: &Answer| matches!(answer.status, 200 | 204);
            assert_eq!(
                u8::from(done(&first)) + u8::from(done(&second)),
                1,
                "{order:?}: {first:?} {second:?}"
            );
            let lost = if done(&first) { &second } else { &first };
            assert!(matches!(lost.status, 401 | 403 | 404 | 409), "{order:?}: {lost:?}");
            assert_eq!(is_admin(&service, &two).await?, done(&second), "{order:?}");
            assert_eq!(is_admin(&service, &one).await?, done(&first), "{order:?}");
            // For the next round, the first one is the only one.
            if done(&second) {
                service.make_admin(&json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD, "restore": true })).await?;
                let ada = service.log_in("ada@example.com").await?;
                delete(&service, &ada, &two).await?.expect(204)?;
                // Who was deleted has been tried, and nobody is known who has the address next.
                service.pass(Duration::from_mins(2)).await;
            }
        }
        Ok(())
    })
}

#[test]
fn of_two_who_demote_each_other_at_once_one_succeeds_in_every_order_of_their_calls() -> Result<()> {
    at_once(2, 3, &async |service, by, of| set_role(service, by, of, "customer").await)
}

#[test]
fn of_two_who_delete_each_other_at_once_one_succeeds_in_every_order_of_their_calls() -> Result<()> {
    at_once(3, 4, &delete)
}

#[test]
fn power_that_was_taken_away_changes_nothing_more() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let ada = service.new_administrator("ada@example.com").await?;
        let eve = service.new_administrator("eve@example.com").await?;
        let bob = service.customer("bob@example.com").await?;
        set_role(&service, &ada, &eve, "customer").await?.expect(200)?;
        // Not the own role, nor another's, nor an account.
        for of in [&eve, &bob, &ada] {
            set_role(&service, &eve, of, "admin").await?.problem(401, "unauthorized")?;
        }
        delete(&service, &eve, &bob).await?.problem(401, "unauthorized")?;
        service.send_as(&eve, Method::GET, "/users", None).await?.problem(401, "unauthorized")?;
        service.send_as(&eve, Method::GET, "/users/me", None).await?.problem(401, "unauthorized")?;
        assert!(!is_admin(&service, &eve).await? && !is_admin(&service, &bob).await?);
        Ok(())
    })
}

#[test]
fn a_token_of_before_a_change_of_password_or_address_is_ended_where_the_account_is_read() -> Result<()> {
    simulate(async {
        let service = service(5).await?;
        for change in [
            json!({ "password": "another password", "current_password": PASSWORD }),
            json!({ "email": "new@example.com", "current_password": PASSWORD }),
        ] {
            let email = format!("ada-{}@example.com", change["email"].is_null());
            let ada = service.customer(&email).await?;
            service.send_as(&ada, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
            service.send_as(&ada, Method::GET, "/users/me", None).await?.problem(401, "unauthorized")?;
            let rename = json!({ "name": "Eve" });
            let renamed = service.send_as(&ada, Method::PATCH, "/users/me", Some(&rename)).await?;
            renamed.problem(401, "unauthorized")?;
            service.leave(&ada).await?.problem(401, "unauthorized")?;
            let refreshed =
                service.post("/sessions/refresh", &json!({ "refresh_token": ada.refresh })).await?;
            refreshed.problem(401, "invalid_refresh_token")?;
        }
        // The same address in other letters, and another name, end nothing.
        let bob = service.customer("bob@example.com").await?;
        for change in
            [json!({ "email": "BOB@example.com", "current_password": PASSWORD }), json!({ "name": "B" })]
        {
            service.send_as(&bob, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        }
        service.send_as(&bob, Method::GET, "/users/me", None).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn the_first_administrator_is_made_by_iam_alone() -> Result<()> {
    simulate(async {
        let service = service(6).await?;
        assert!(service.cloud.routes().iter().all(|route| route.function != "create-admin"));
        let made = service.create_admin("admin@example.com").await?;
        assert_eq!(made["result"], "created", "{made}");
        let again = service.create_admin("Admin@example.com").await?;
        assert_eq!((&again["result"], &again["code"]), (&Value::Null, &json!("already_an_administrator")));
        // Whoever had the address first may be anybody: the account is not promoted unless that is asked for.
        let eve = service.customer("eve@example.com").await?;
        let refused = service.create_admin("eve@example.com").await?;
        assert_eq!((&refused["result"], &refused["code"]), (&Value::Null, &json!("email_taken")));
        assert_eq!(refused["user_id"], *eve.id);
        service.send_as(&eve, Method::GET, "/users", None).await?.problem(403, "forbidden")?;
        let wrong = service.make_admin(&json!({ "email": "x", "password": "short" })).await?.to_string();
        assert!(wrong.contains("wrong_length") && wrong.contains("invalid_email"), "{wrong}");
        Ok(())
    })
}

#[test]
fn an_operator_restores_an_administrator() -> Result<()> {
    simulate(async {
        let service = service(7).await?;
        let ada = service.new_administrator("ada@example.com").await?;
        let eve = service.new_administrator("eve@example.com").await?;
        set_role(&service, &eve, &ada, "customer").await?.expect(200)?;
        // As it is: with its own password.
        let restore = json!({ "email": "Ada@example.com", "name": "ignored", "restore": true });
        let restored = service.make_admin(&restore).await?;
        assert_eq!((&restored["result"], &restored["user_id"]), (&json!("restored"), &json!(ada.id)));
        let ada = service.log_in("ada@example.com").await?;
        let me = service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        assert_eq!((&me.body["role"], &me.body["name"]), (&json!("admin"), &json!("The administrator")));
        // With a new password, which ends every session.
        let renewed = json!({ "email": "ada@example.com", "name": "x", "restore": true, "password": "a new secret of mine" });
        assert_eq!(service.make_admin(&renewed).await?["result"], "restored");
        service.send_as(&ada, Method::GET, "/users/me", None).await?.problem(401, "unauthorized")?;
        service.try_log_in("ada@example.com", PASSWORD).await?.problem(401, "invalid_credentials")?;
        service.try_log_in("ada@example.com", "a new secret of mine").await?.expect(201)?;
        // The other one may go now: who was restored counts.
        set_role(&service, &eve, &eve, "customer").await?.expect(200)?;
        // Where there is nobody, one is made, and needs a password for it.
        let new = json!({ "email": "new@example.com", "name": "New", "restore": true });
        let missing = service.make_admin(&new).await?;
        assert_eq!(missing["errors"][0]["pointer"], "/password", "{missing}");
        let mut new = new;
        new["password"] = json!(PASSWORD);
        assert_eq!(service.make_admin(&new).await?["result"], "created");
        Ok(())
    })
}

#[test]
fn an_administrator_of_before_they_were_written_down_is_by_being_restored() -> Result<()> {
    simulate(async {
        let service = service(8).await?;
        let ada = service.new_administrator("ada@example.com").await?;
        service.delete_item("UsersTable", "admins", "admins").await?;
        set_role(&service, &ada, &ada, "customer").await?.problem(409, "last_administrator")?;
        let restore = json!({ "email": "ada@example.com", "name": "x", "restore": true });
        assert_eq!(service.make_admin(&restore).await?["result"], "restored");
        let ada = service.log_in("ada@example.com").await?;
        let eve = service.new_administrator("eve@example.com").await?;
        set_role(&service, &ada, &ada, "customer").await?.expect(200)?;
        set_role(&service, &eve, &eve, "customer").await?.problem(409, "last_administrator")?;
        Ok(())
    })
}

#[test]
fn an_account_is_found_by_its_address_by_administrators_alone() -> Result<()> {
    simulate(async {
        let service = service(9).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let ada = service.customer("Ada@example.com").await?;
        let find = async |who: &Account, query: &str| {
            service.send_as(who, Method::GET, &format!("/users?{query}"), None).await
        };
        let found = find(&admin, "email=ada%40EXAMPLE.com").await?.expect(200)?;
        assert_eq!(found.body["data"][0]["id"], *ada.id, "{}", found.text);
        assert_eq!(
            (found.body["data"].as_array().map(Vec::len), &found.body["next_cursor"]),
            (Some(1), &Value::Null)
        );
        for nobody in ["email=nobody%40example.com", "email=nobody%40example.com&limit=5&cursor="] {
            let none = find(&admin, nobody).await?.expect(200)?;
            assert_eq!(none.body["data"], json!([]));
        }
        for bad in [
            "email=",
            "email=ada",
            "email=a%40example.com&email=b%40example.com",
            "email=a%40example.com&cursor=x",
        ] {
            find(&admin, bad).await?.problem(400, "invalid_query")?;
        }
        find(&ada, "email=ada%40example.com").await?.problem(403, "forbidden")?;
        find(&ada, "email=admin%40example.com").await?.problem(403, "forbidden")?;
        let guest =
            service.request(Method::GET, "/users?email=ada%40example.com", bytes::Bytes::new(), &[]).await?;
        guest.problem(401, "unauthorized")?;
        service.leave(&ada).await?.expect(204)?;
        assert_eq!(find(&admin, "email=ada%40example.com").await?.expect(200)?.body["data"], json!([]));
        found.body["data"][0]["email"].as_str().context("an address")?;
        Ok(())
    })
}
