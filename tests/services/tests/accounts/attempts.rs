//! Guessing passwords: limits by account and by address, before any work is done.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use http::Method;
use serde_json::json;
use service_tests::{PASSWORD, Service, simulate};
use shop_local::cloud::Options;

async fn service(seed: u64) -> Result<Service> {
    Service::start(users::FUNCTIONS, Options::simulated(seed)).await
}

#[test]
fn ten_attempts_on_an_account_are_enough_for_a_quarter_of_an_hour() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        service.register("ada@example.com").await?.expect(201)?;
        service.register("eve@example.com").await?.expect(201)?;
        // At once, from as many addresses: none slips through between a look and a count.
        let guesses = (0..40).map(|n| {
            let service = &service;
            async move {
                let guess = json!({ "email": "Ada@example.com", "password": "a wrong password" });
                service.post_from(&format!("198.51.100.{n}"), "/sessions", &guess).await
            }
        });
        let answers = join_all(guesses).await.into_iter().collect::<Result<Vec<_>>>()?;
        let tried = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(tried, 10, "{answers:?}");
        let refused =
            service.try_log_in("ada@example.com", PASSWORD).await?.problem(429, "too_many_attempts")?;
        let wait: u64 = refused.header("retry-after")?.parse()?;
        assert!((1..=900).contains(&wait), "{wait}");
        service.log_in("eve@example.com").await?;
        tokio::time::sleep(Duration::from_secs(wait)).await;
        service.log_in("ada@example.com").await?;
        Ok(())
    })
}

#[test]
fn an_unknown_account_has_the_same_limit() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        for _ in 0..10 {
            service.try_log_in("nobody@example.com", PASSWORD).await?.problem(401, "invalid_credentials")?;
        }
        service.try_log_in("nobody@example.com", PASSWORD).await?.problem(429, "too_many_attempts")?;
        Ok(())
    })
}

#[test]
fn an_address_that_failed_a_hundred_times_waits_and_others_do_not() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        service.register("ada@example.com").await?.expect(201)?;
        for n in 0..100 {
            // Addresses of one IPv6 network are one.
            let source = format!("2001:db8:1:2::{n:x}");
            let guess = json!({ "email": format!("person-{n}@example.com"), "password": PASSWORD });
            service.post_from(&source, "/sessions", &guess).await?.problem(401, "invalid_credentials")?;
        }
        let right = json!({ "email": "ada@example.com", "password": PASSWORD });
        let same = service.post_from("2001:db8:1:2:ffff::1", "/sessions", &right).await?;
        same.problem(429, "too_many_attempts")?;
        service.post_from("2001:db8:1:3::1", "/sessions", &right).await?.expect(201)?;
        service.log_in("ada@example.com").await?;
        Ok(())
    })
}

#[test]
fn a_stolen_token_cannot_be_used_to_guess_the_password() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let ada = service.customer("ada@example.com").await?;
        let guess = json!({ "email": "mine@example.com", "current_password": "a wrong password" });
        // The log-in was the first of ten.
        for _ in 0..9 {
            let answer = service.send_as(&ada, Method::PATCH, "/users/me", Some(&guess)).await?;
            answer.problem(422, "invalid_request")?;
        }
        let answer = service.send_as(&ada, Method::PATCH, "/users/me", Some(&guess)).await?;
        answer.problem(429, "too_many_attempts")?;
        // What needs no password needs no attempt.
        let rename = json!({ "name": "Ada King" });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&rename)).await?.expect(200)?;
        Ok(())
    })
}
