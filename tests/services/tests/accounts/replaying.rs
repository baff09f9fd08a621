//! Registering under an idempotency key, and how often: the key is told before anything of the address.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

const KEY: &str = "a-key-of-more-than-20-characters";

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

fn person(email: &str, name: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "name": name })
}

async fn ask(service: &Service, key: &str, body: &Value) -> Result<Answer> {
    let headers = [("idempotency-key", key), ("content-type", "application/json")];
    service.request(Method::POST, "/users", body.to_string().into(), &headers).await
}

#[test]
fn the_same_request_under_a_key_is_one_account_and_another_one_is_refused() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let body = person("ada@example.com", "Ada", PASSWORD);
        let first = ask(&service, KEY, &body).await?.expect(201)?;
        // The address in other letters is the same address, and the answer is the first one's.
        for email in ["ada@example.com", "ADA@example.com"] {
            let again = ask(&service, KEY, &person(email, "Ada", PASSWORD)).await?.expect(201)?;
            assert_eq!(again.header("idempotent-replayed")?, "true");
            assert_eq!(again.body, first.body);
        }
        service.register("taken@example.com").await?.expect(201)?;
        for other in [
            person("ada@example.com", "Eve", PASSWORD),
            person("ada@example.com", "Ada", "another password altogether"),
            // Whether an address is taken is nobody's business: nothing is made of it.
            person("taken@example.com", "Ada", PASSWORD),
            person("free@example.com", "Ada", PASSWORD),
        ] {
            ask(&service, KEY, &other).await?.problem(422, "idempotency_key_reused")?;
        }
        Ok(())
    })
}

#[test]
fn a_key_is_used_for_good_whatever_becomes_of_the_account() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        let body = person("ada@example.com", "Ada", PASSWORD);
        let first = ask(&service, KEY, &body).await?.expect(201)?;
        let ada = service.log_in("ada@example.com").await?;
        let change = json!({ "email": "new@example.com", "name": "Ada King", "password": "another password", "current_password": PASSWORD });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        // The answer is that of then: it says nothing of what the account is now.
        let again = ask(&service, KEY, &body).await?.expect(201)?;
        assert_eq!((&again.body, again.header("etag")?), (&first.body, first.header("etag")?));
        // The former password is the request's, and the new one is not.
        let guessed = person("ada@example.com", "Ada", "another password");
        ask(&service, KEY, &guessed).await?.problem(422, "idempotency_key_reused")?;
        let administrator = service.new_administrator("admin@example.com").await?;
        service
            .send_as(&administrator, Method::DELETE, &format!("/users/{}", ada.id), None)
            .await?
            .expect(204)?;
        for _ in 0..2 {
            ask(&service, KEY, &body).await?.problem(422, "idempotency_key_reused")?;
        }
        // Another key is another account.
        ask(&service, &format!("{KEY}-2"), &body).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn of_the_same_request_many_times_at_once_one_account_is_made() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        let body = person("ada@example.com", "Ada", PASSWORD);
        let answers = join_all((0..15).map(|_| ask(&service, KEY, &body))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        let is_new = |answer: &&Answer| !answer.headers.contains_key("idempotent-replayed");
        assert!(
            answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body),
            "{answers:?}"
        );
        assert_eq!(answers.iter().filter(is_new).count(), 1, "{answers:?}");
        Ok(())
    })
}

/// A replay says whether its password is the account's, so it is counted like any other registration.
#[test]
fn a_used_key_is_no_way_to_guess_passwords_uncounted() -> Result<()> {
    simulate(async {
        let service = service(5).await?;
        ask(&service, KEY, &person("ada@example.com", "Ada", PASSWORD)).await?.expect(201)?;
        let guess = |n: usize| person("ada@example.com", "Ada", &format!("a guess by the number of {n}"));
        for n in 1..20 {
            ask(&service, KEY, &guess(n)).await?.problem(422, "idempotency_key_reused")?;
        }
        ask(&service, KEY, &guess(20)).await?.problem(429, "too_many_attempts")?;
        Ok(())
    })
}

#[test]
fn an_address_registers_twenty_in_an_hour_and_waits_then() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let register = |n: usize, source: &'static str| {
            let (service, body) = (&service, person(&format!("person-{n}@example.com"), "A", PASSWORD));
            async move { service.post_from(source, "/users", &body).await }
        };
        // At once: none slips through.
        let answers = join_all((0..30).map(|n| register(n, "192.0.2.1"))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 20, "{answers:?}");
        let refused = register(100, "192.0.2.1").await?.problem(429, "too_many_attempts")?;
        let wait: u64 = refused.header("retry-after")?.parse()?;
        assert!((1..=180).contains(&wait), "{wait}");
        register(101, "192.0.2.2").await?.expect(201)?;
        service.pass(Duration::from_secs(wait)).await;
        register(102, "192.0.2.1").await?.expect(201)?;
        // An address that is taken does not go round it, and mistakes cost nothing.
        register(102, "192.0.2.1").await?.problem(429, "too_many_attempts")?;
        let mistaken = service.post_from("192.0.2.1", "/users", &json!({})).await?;
        mistaken.problem(422, "invalid_request")?;
        Ok(())
    })
}
