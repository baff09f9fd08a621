//! Guessing passwords: who is limited by what, before any work is done, and that no stranger keeps an owner out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, Item, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

/// In seconds.
const DAY: i64 = 24 * 3600;

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

fn guess(email: &str) -> Value {
    json!({ "email": email, "password": "a wrong password" })
}

/// An owner whose device and address are known, and the strangers' bucket of whose account is full.
async fn besieged(service: &Service) -> Result<Account> {
    let ada = service.customer("ada@example.com").await?;
    for n in 0..20 {
        let answer = service.post_from(&format!("198.51.100.{n}"), "/sessions", &guess(&ada.email)).await?;
        answer.problem(401, "invalid_credentials")?;
    }
    Ok(ada)
}

async fn log_in_from(service: &Service, source: &str, email: &str, device: Option<&str>) -> Result<Answer> {
    let body = json!({ "email": email, "password": PASSWORD, "device_token": device });
    service.post_from(source, "/sessions", &body).await
}

#[test]
fn of_any_number_of_strangers_at_once_twenty_try_and_the_owner_is_let_in() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let ada = service.customer("ada@example.com").await?;
        service.register("eve@example.com").await?.expect(201)?;
        // At once, from as many addresses: none slips through between a look and a count.
        let guesses = (0..60).map(|n| {
            let service = &service;
            async move {
                service.post_from(&format!("198.51.100.{n}"), "/sessions", &guess("Ada@example.com")).await
            }
        });
        let answers = join_all(guesses).await.into_iter().collect::<Result<Vec<_>>>()?;
        let tried = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(tried, 20, "{answers:?}");
        // The owner, from the known address, and with the device's token from anywhere.
        service.log_in("ada@example.com").await?;
        log_in_from(&service, "192.0.2.1", "ada@example.com", Some(&ada.device)).await?.expect(201)?;
        // Everybody else waits, with the right password too, and not for longer than is said.
        let refused = log_in_from(&service, "192.0.2.2", "ada@example.com", None).await?;
        let wait: u64 = refused.problem(429, "too_many_attempts")?.header("retry-after")?.parse()?;
        assert!((1..=90).contains(&wait), "{wait}");
        service.log_in("eve@example.com").await?;
        service.pass(Duration::from_secs(wait)).await;
        log_in_from(&service, "192.0.2.2", "ada@example.com", None).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn one_address_gets_five_guesses_at_an_account_and_then_waits_for_longer_each_time() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        for email in ["ada@example.com", "nobody@example.com"] {
            if email == "ada@example.com" {
                service.register(email).await?.expect(201)?;
            }
            // At once: as many as one by one.
            let asked = (0..12).map(|_| service.try_log_in(email, "a wrong password"));
            let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
            assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5, "{answers:?}");
            for minutes in [1, 2, 4, 8] {
                let refused = service.try_log_in(email, PASSWORD).await?.problem(429, "too_many_attempts")?;
                let wait: u64 = refused.header("retry-after")?.parse()?;
                assert!((minutes * 60 - 5..=minutes * 60).contains(&wait), "{email}: {wait}");
                service.pass(Duration::from_secs(wait)).await;
                service.try_log_in(email, "a wrong password").await?.problem(401, "invalid_credentials")?;
            }
        }
        // The owner is elsewhere, and not concerned.
        log_in_from(&service, "192.0.2.1", "ada@example.com", None).await?.expect(201)?;
        // A day later all is as it was.
        service.pass(Duration::from_hours(25)).await;
        service.log_in("ada@example.com").await?;
        Ok(())
    })
}

#[test]
fn an_address_that_is_refused_uses_up_nothing_of_an_account() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        let ada = service.customer("ada@example.com").await?;
        for n in 0..100 {
            // Addresses of one IPv6 network are one.
            let source = format!("2001:db8:1:2::{n:x}");
            let answer =
                service.post_from(&source, "/sessions", &guess(&format!("person-{n}@example.com"))).await?;
            answer.problem(401, "invalid_credentials")?;
        }
        for _ in 0..40 {
            let answer =
                service.post_from("2001:db8:1:2:ffff::1", "/sessions", &guess("ada@example.com")).await?;
            answer.problem(429, "too_many_attempts")?;
        }
        // A new address of the owner's is a stranger, and there is room for it.
        log_in_from(&service, "2001:db8:1:3::1", "ada@example.com", None).await?.expect(201)?;
        log_in_from(&service, "2001:db8:1:2::1", "ada@example.com", Some(&ada.device)).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn right_passwords_are_no_attempts() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        service.register("ada@example.com").await?.expect(201)?;
        for n in 0..40 {
            service.log_in("ada@example.com").await?;
            log_in_from(&service, &format!("192.0.2.{n}"), "ada@example.com", None).await?.expect(201)?;
        }
        // At once, too.
        let asked =
            (0..30).map(|n| {
                let service = &service;
                async move {
                    log_in_from(service, &format!("203.0.113.{}", 100 + n), "ada@example.com", None).await
                }
            });
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
        let refused = answers.iter().filter(|answer| answer.status != 201).count();
        // They are counted until they are found to be right.
        assert!(
            refused <= 10 && answers.iter().all(|answer| [201, 429].contains(&answer.status)),
            "{answers:?}"
        );
        log_in_from(&service, "192.0.2.77", "ada@example.com", None).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn a_device_has_a_bucket_of_its_own_and_nobody_else_s_token_helps() -> Result<()> {
    simulate(async {
        let service = service(5).await?;
        let ada = besieged(&service).await?;
        let eve = service.customer("eve@example.com").await?;
        let mut forged = ada.device.clone();
        let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
        forged.push(last);
        for device in [eve.device.as_str(), &forged, "dt1.x", ""] {
            let answer = log_in_from(&service, "192.0.2.1", &ada.email, Some(device)).await?;
            answer.problem(429, "too_many_attempts")?;
        }
        // A thief of the device's token has ten guesses, wherever they come from, and the account's owner is
        // let in from the known address.
        let tries = (0..14).map(|n| {
            let body =
                json!({ "email": ada.email, "password": "a wrong password", "device_token": ada.device });
            let service = &service;
            async move { service.post_from(&format!("192.0.2.{n}"), "/sessions", &body).await }
        });
        let answers = join_all(tries).await.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10, "{answers:?}");
        let owner = service.log_in(&ada.email).await?;
        assert_ne!(owner.device, ada.device, "a device without a token gets one");
        // A right password in time empties the device's bucket.
        let body =
            json!({ "email": ada.email, "password": "a wrong password", "device_token": owner.device });
        for _ in 0..3 {
            for _ in 0..9 {
                service.post("/sessions", &body).await?.problem(401, "invalid_credentials")?;
            }
            let again =
                log_in_from(&service, "192.0.2.9", &ada.email, Some(&owner.device)).await?.expect(201)?;
            assert_eq!(again.body["device_token"], *owner.device, "it keeps its token");
        }
        Ok(())
    })
}

#[test]
fn devices_of_before_another_password_share_one_bucket_that_strangers_do_not_fill() -> Result<()> {
    simulate(async {
        let service = service(6).await?;
        let ada = besieged(&service).await?;
        let others = [service.log_in(&ada.email).await?, service.log_in(&ada.email).await?];
        let change = json!({ "password": "another password", "current_password": PASSWORD });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        // Whoever knew the former password has ten guesses in all, with all devices together.
        let mut tried = 0;
        for device in [&others[0].device, &others[1].device].into_iter().cycle().take(20) {
            let body = json!({ "email": ada.email, "password": "a wrong password", "device_token": device });
            tried += u32::from(service.post_from("192.0.2.5", "/sessions", &body).await?.status == 401);
        }
        assert_eq!(tried, 10);
        service.pass(Duration::from_mins(15)).await;
        let body = json!({ "email": ada.email, "password": "another password", "device_token": ada.device });
        let answer = service.post_from("192.0.2.6", "/sessions", &body).await?.expect(201)?;
        let renewed = answer.body["device_token"].as_str().context("a token")?;
        ensure!(renewed != ada.device, "a token of the account as it is now");
        Ok(())
    })
}

#[test]
fn a_stolen_token_cannot_be_used_to_guess_the_password_nor_can_strangers_keep_it_as_it_is() -> Result<()> {
    simulate(async {
        let service = service(7).await?;
        let ada = besieged(&service).await?;
        let other = service.log_in(&ada.email).await?;
        let guess = json!({ "email": "mine@example.com", "current_password": "a wrong password" });
        let delete = json!({ "current_password": "a wrong password" });
        let asked = (0..8).flat_map(|_| {
            [
                service.send_as(&ada, Method::PATCH, "/users/me", Some(&guess)),
                service.send_as(&ada, Method::DELETE, "/users/me", Some(&delete)),
            ]
        });
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
        let wrong = answers.iter().filter(|answer| answer.status == 422);
        assert_eq!(wrong.count(), 10, "{answers:?}");
        let refused = answers.into_iter().find(|answer| answer.status == 429).context("a refusal")?;
        let wait: u64 = refused.problem(429, "too_many_attempts")?.header("retry-after")?.parse()?;
        // Whoever looked at the clock before the one that failed last waits for as much longer, in whole seconds.
        assert!((50..=61).contains(&wait), "{wait}");
        // What needs no password needs no attempt.
        let rename = json!({ "name": "Ada King" });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&rename)).await?.expect(200)?;
        // The owner's other session is not concerned, nor is it by all the strangers.
        let change = json!({ "password": "another password", "current_password": PASSWORD });
        service.send_as(&other, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_known_address_and_an_unknown_account_are_told_apart_by_nobody() -> Result<()> {
    simulate(async {
        let service = service(8).await?;
        service.register("ada@example.com").await?.expect(201)?;
        let calls = || service.cloud.meter().sum(|entry| entry.caller == "create-session").calls;
        let mut seen = Vec::new();
        // The first one starts the function.
        service.try_log_in("first@example.com", PASSWORD).await?;
        for email in ["ada@example.com", "nobody@example.com"] {
            let mut answers = Vec::new();
            for n in 0..25 {
                let before = calls();
                let answer =
                    service.post_from(&format!("198.51.100.{n}"), "/sessions", &guess(email)).await?;
                let code = answer.body["code"].as_str().map(str::to_owned);
                answers.push((answer.status, code, calls() - before));
            }
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!((seen[0][0].0, seen[0][24].0), (401, 429));
        Ok(())
    })
}

#[test]
fn whatever_is_counted_expires_in_seconds_of_the_near_future() -> Result<()> {
    simulate(async {
        let service = service(9).await?;
        let ada = service.customer("ada@example.com").await?;
        let wrong =
            json!({ "name": "Ada", "email": "new@example.com", "current_password": "a wrong password" });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&wrong)).await?.expect(422)?;
        let body = json!({ "email": ada.email, "password": "a wrong password", "device_token": ada.device });
        service.post("/sessions", &body).await?.expect(401)?;
        service.post_from("192.0.2.1", "/sessions", &guess(&ada.email)).await?.expect(401)?;
        let change = json!({ "password": "another password", "current_password": PASSWORD });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        service.post("/sessions", &body).await?.expect(401)?;
        let now = service.now()?.as_secs();
        let mut kinds = std::collections::BTreeSet::new();
        for item in service.items("SessionsTable").await? {
            let pk = item["pk"].as_s().ok().context("a key")?;
            let Some(kind) = pk.strip_prefix("attempts#").and_then(|rest| rest.split('#').next()) else {
                continue;
            };
            kinds.insert(kind.to_owned());
            let expires_at: i64 = item["expires_at"].as_n().ok().context("a number")?.parse()?;
            let rest = expires_at - now;
            let most = if item.contains_key("known_until") { 90 * DAY } else { DAY + 120 };
            assert!((1..=most).contains(&rest), "{pk}: {rest}");
        }
        let all =
            ["account", "address", "address-change", "device", "former", "pair", "proof", "registration"];
        assert!(kinds.iter().eq(all), "{kinds:?}");
        Ok(())
    })
}

/// Also of an address whose time as a known one is almost over, or is over and the table has not dropped it yet.
#[test]
fn failures_are_remembered_for_a_day_whenever_they_are() -> Result<()> {
    simulate(async {
        let service = service(10).await?;
        let ada = service.customer("ada@example.com").await?;
        let kept = async || {
            let items = service.items("SessionsTable").await?;
            let is_pair = |item: &Item| {
                item.contains_key("known_until")
                    && item["pk"].as_s().is_ok_and(|pk| pk.starts_with("attempts#pair#"))
            };
            let item = items.into_iter().find(is_pair).context("an address and an account")?;
            let expires_at: i64 = item["expires_at"].as_n().ok().context("a number")?.parse()?;
            anyhow::Ok(expires_at - service.now()?.as_secs())
        };
        ensure!(kept().await? > 80 * DAY);
        service.post("/sessions", &guess(&ada.email)).await?.expect(401)?;
        ensure!(kept().await? > 80 * DAY, "a failure makes no address a stranger's");
        for days in [90, 1] {
            service.pass(Duration::from_hours(24 * days - 1)).await;
            service.post("/sessions", &guess(&ada.email)).await?.expect(401)?;
            let kept = kept().await?;
            ensure!(kept >= DAY, "after {days} days it is forgotten in {kept} s");
        }
        Ok(())
    })
}

#[test]
fn addresses_are_not_looked_for_by_changing_one_s_own_and_a_right_password_costs_nothing() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        service.customer("victim@example.com").await?;
        let ada = service.customer("ada@example.com").await?;
        let taken = json!({ "email": "victim@example.com", "current_password": PASSWORD });
        let change = async |body: &Value| service.send_as(&ada, Method::PATCH, "/users/me", Some(body)).await;
        for _ in 0..10 {
            change(&taken).await?.problem(409, "email_taken")?;
        }
        change(&taken).await?.problem(429, "too_many_attempts")?;
        // Another session is the same account.
        let again = service.log_in("ada@example.com").await?;
        let more = service.send_as(&again, Method::PATCH, "/users/me", Some(&taken)).await?;
        more.problem(429, "too_many_attempts")?;
        // The password was right each time, so that it may still be changed.
        let password = json!({ "password": "Kestrel over the lake 7", "current_password": PASSWORD });
        change(&password).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn the_password_that_stays_does_not_become_the_address_or_the_name() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let ada = service.customer("ada@example.com").await?;
        let name = json!({ "name": PASSWORD, "current_password": PASSWORD });
        let refused = service.send_as(&ada, Method::PATCH, "/users/me", Some(&name)).await?;
        let refused = refused.problem(422, "invalid_request")?;
        ensure!(refused.pointers() == ["/name"], "{}", refused.text);
        Ok(())
    })
}

#[test]
fn who_has_an_e_mail_address_next_is_known_from_nowhere() -> Result<()> {
    simulate(async {
        let service = service(11).await?;
        let former = service.customer("ada@example.com").await?;
        service.leave(&former).await?.expect(204)?;
        service.register("ada@example.com").await?.expect(201)?;
        for n in 0..20 {
            let source = format!("198.51.100.{n}");
            service.post_from(&source, "/sessions", &guess(&former.email)).await?.expect(401)?;
        }
        // From where the one before has logged in, who is a stranger now.
        service.post("/sessions", &guess(&former.email)).await?.problem(429, "too_many_attempts")?;
        Ok(())
    })
}
