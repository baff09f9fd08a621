//! What is proved by a token that was mailed: an address is confirmed, another password is set.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, Calls, PASSWORD, Published, Service, simulate};
use shop_auth::{CONFIRMATION_LIFETIME_SECONDS, RESET_LIFETIME_SECONDS};
use shop_local::cloud::Options;

const ANOTHER: &str = "another correct horse battery";

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

async fn ask_for_reset(service: &Service, email: &str) -> Result<Answer> {
    service.post("/password-resets", &json!({ "email": email })).await
}

async fn set_password(service: &Service, token: &str, password: &str) -> Result<Answer> {
    service.post("/password-resets/complete", &json!({ "token": token, "password": password })).await
}

async fn confirm(service: &Service, token: &str) -> Result<Answer> {
    service.post("/email-confirmations", &json!({ "token": token })).await
}

async fn me(service: &Service, account: &Account) -> Result<Value> {
    Ok(service.send_as(account, Method::GET, "/users/me", None).await?.expect(200)?.body)
}

#[test]
fn another_password_is_set_once_and_ends_what_was_before() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let ada = service.customer("ada@example.com").await?;
        ensure!(service.reset_token(&ada).await?.is_none());
        ask_for_reset(&service, "Ada@Example.com").await?.expect(202)?;
        let token = service.reset_token(&ada).await?.context("a request")?;
        // What is wrong with the password does not use the token up.
        let common = set_password(&service, &token, "password1234").await?.problem(422, "invalid_request")?;
        assert_eq!(common.pointers(), ["/password"]);
        let own = set_password(&service, &token, "ada@example.com").await?.problem(422, "invalid_request")?;
        assert_eq!(own.body["errors"][0]["code"], "resembles_account");
        service.try_log_in(&ada.email, PASSWORD).await?.expect(201)?;

        set_password(&service, &token, ANOTHER).await?.expect(204)?;
        service.try_log_in(&ada.email, PASSWORD).await?.problem(401, "invalid_credentials")?;
        let body = json!({ "refresh_token": ada.refresh });
        service.post("/sessions/refresh", &body).await?.problem(401, "invalid_refresh_token")?;
        let session = service.try_log_in(&ada.email, ANOTHER).await?.expect(201)?;
        let access = session.body["access_token"].as_str().context("a token")?.to_owned();
        let account = Account { access, ..ada.clone() };
        ensure!(me(&service, &account).await?["email_confirmed"] == true, "who has the mail has the address");
        for again in [ANOTHER, PASSWORD] {
            set_password(&service, &token, again).await?.problem(422, "invalid_mail_token")?;
        }
        service.try_log_in(&ada.email, ANOTHER).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn of_two_who_use_a_token_at_once_one_does() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        let ada = service.customer("ada@example.com").await?;
        ask_for_reset(&service, &ada.email).await?.expect(202)?;
        let token = service.reset_token(&ada).await?.context("a request")?;
        let passwords: Vec<_> = (0..6).map(|number| format!("{ANOTHER} {number}")).collect();
        let tried = join_all(passwords.iter().map(|password| set_password(&service, &token, password))).await;
        let mut set = Vec::new();
        for (password, answer) in passwords.iter().zip(tried) {
            match answer? {
                answer if answer.status == 204 => set.push(password),
                answer => drop(answer.problem(422, "invalid_mail_token")?),
            }
        }
        assert_eq!(set.len(), 1);
        service.try_log_in(&ada.email, set[0]).await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn a_token_ends_by_time_by_another_request_and_by_a_change_of_the_account() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        let ada = service.customer("ada@example.com").await?;
        let token = async || -> Result<String> {
            // Past the limit of mails to one account.
            service.pass(Duration::from_hours(1)).await;
            ask_for_reset(&service, &ada.email).await?.expect(202)?;
            service.reset_token(&ada).await?.context("a request")
        };
        let first = token().await?;
        let second = token().await?;
        set_password(&service, &first, ANOTHER).await?.problem(422, "invalid_mail_token")?;
        service.pass(Duration::from_secs(RESET_LIFETIME_SECONDS.unsigned_abs())).await;
        set_password(&service, &second, ANOTHER).await?.problem(422, "invalid_mail_token")?;

        let third = token().await?;
        let change = json!({ "password": "yet another horse battery", "current_password": PASSWORD });
        let again = service.log_in(&ada.email).await?;
        service.send_as(&again, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        set_password(&service, &third, ANOTHER).await?.problem(422, "invalid_mail_token")?;

        let fourth = token().await?;
        let session = service.try_log_in(&ada.email, "yet another horse battery").await?.expect(201)?;
        let access = session.body["access_token"].as_str().context("a token")?.to_owned();
        let account = Account { access, ..ada.clone() };
        let proof = json!({ "current_password": "yet another horse battery" });
        service.send_as(&account, Method::DELETE, "/users/me", Some(&proof)).await?.expect(204)?;
        set_password(&service, &fourth, ANOTHER).await?.problem(422, "invalid_mail_token")?;
        Ok(())
    })
}

#[test]
fn an_address_is_confirmed_by_its_own_token_alone() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let ada = service.customer("ada@example.com").await?;
        let bea = service.customer("bea@example.com").await?;
        ensure!(me(&service, &ada).await?["email_confirmed"] == false);
        let token = service.confirmation_token(&ada, service.now()?).await?;
        let of_bea = service
            .confirmation_token(&Account { id: ada.id.clone(), ..bea.clone() }, service.now()?)
            .await?;
        let reset = {
            ask_for_reset(&service, &ada.email).await?.expect(202)?;
            service.reset_token(&ada).await?.context("a request")?
        };
        let changed =
            format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
        for wrong in ["x", "ce1.x.1.x", &of_bea, &reset, &changed] {
            confirm(&service, wrong).await?.problem(422, "invalid_mail_token")?;
        }
        set_password(&service, &token, ANOTHER).await?.problem(422, "invalid_mail_token")?;
        // A link is opened twice by whoever previews it.
        for _ in 0..2 {
            confirm(&service, &token).await?.expect(204)?;
        }
        let confirmed = me(&service, &ada).await?;
        assert_eq!((&confirmed["email_confirmed"], &confirmed["version"]), (&json!(true), &json!(2)));

        // Another address is another matter; the same in other letters is not.
        let change = async |account: &Account, email: &str| -> Result<Account> {
            let body = json!({ "email": email, "current_password": PASSWORD });
            service.send_as(account, Method::PATCH, "/users/me", Some(&body)).await?.expect(200)?;
            service.log_in(email).await
        };
        let ada = change(&ada, "ADA@example.com").await?;
        ensure!(me(&service, &ada).await?["email_confirmed"] == true);
        let ada = change(&ada, "lovelace@example.com").await?;
        ensure!(me(&service, &ada).await?["email_confirmed"] == false);
        confirm(&service, &token).await?.problem(422, "invalid_mail_token")?;
        let old = service.confirmation_token(&ada, service.now()?).await?;
        service.pass(Duration::from_secs(CONFIRMATION_LIFETIME_SECONDS.unsigned_abs())).await;
        confirm(&service, &old).await?.problem(422, "invalid_mail_token")?;
        Ok(())
    })
}

#[test]
fn nobody_learns_whether_an_address_has_an_account() -> Result<()> {
    simulate(async {
        let calls = Calls::of("request-password-reset");
        let service = Service::start(&users::SERVICE.functions(), calls.options(5)).await?;
        let ada = service.customer("ada@example.com").await?;
        // Its environment starts.
        ask_for_reset(&service, "first@example.com").await?.expect(202)?;
        let mut seen = BTreeSet::new();
        let mut shown = BTreeSet::new();
        // Beyond the limit of mails to one account as well.
        for number in 0..5 {
            for email in [ada.email.as_str(), "nobody@example.com"] {
                service.settled().await?;
                drop(calls.take());
                let answer = ask_for_reset(&service, email).await?.expect(202)?;
                let made = calls.take().into_iter().map(|made| made.operation);
                seen.insert((number, made.collect::<Vec<_>>()));
                shown.insert((answer.text, answer.headers.len()));
            }
        }
        assert_eq!(seen.len(), 5, "the calls tell: {seen:?}");
        assert_eq!(shown.len(), 1, "the answers tell: {shown:?}");
        Ok(())
    })
}

#[test]
fn mails_are_limited_by_who_asks_and_by_who_is_sent_them() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let options = Options { observers: vec![Arc::clone(&published) as _], ..Options::simulated(6) };
        let service = Service::start(&users::SERVICE.functions(), options).await?;
        let ada = service.customer("ada@example.com").await?;
        let asked = |kind: &str| -> Result<usize> {
            Ok(published.events()?.iter().filter(|event| event["type"] == *kind).count())
        };
        for number in 0..10 {
            let body = json!({ "email": ada.email });
            let from = format!("198.51.100.{number}");
            service.post_from(&from, "/password-resets", &body).await?.expect(202)?;
            // Another time is another request.
            service.pass(Duration::from_secs(1)).await;
        }
        for number in 0..20 {
            let email = format!("nobody-{number}@example.com");
            service
                .post_from("198.51.100.77", "/password-resets", &json!({ "email": email }))
                .await?
                .expect(202)?;
        }
        let body = json!({ "email": "nobody@example.com" });
        let refused = service.post_from("198.51.100.77", "/password-resets", &body).await?;
        refused.problem(429, "too_many_attempts")?.header("retry-after")?;
        service.settled().await?;
        assert_eq!(asked("user.password_reset_requested")?, 3, "to ada, and to nobody else");

        let path = "/users/me/email-confirmation";
        for _ in 0..3 {
            service.send_as(&ada, Method::POST, path, None).await?.expect(202)?;
            service.pass(Duration::from_secs(1)).await;
        }
        service.send_as(&ada, Method::POST, path, None).await?.problem(429, "too_many_attempts")?;
        service.settled().await?;
        assert_eq!(asked("user.email_confirmation_requested")?, 3);
        // Who is confirmed already is sent nothing.
        service.pass(Duration::from_hours(1)).await;
        let token = service.confirmation_token(&ada, service.now()?).await?;
        confirm(&service, &token).await?.expect(204)?;
        let ada = service.log_in(&ada.email).await?;
        service.send_as(&ada, Method::POST, path, None).await?.expect(202)?;
        service.settled().await?;
        assert_eq!(asked("user.email_confirmation_requested")?, 3);
        // Another address is sent one with the change.
        let body = json!({ "email": "lovelace@example.com", "current_password": PASSWORD });
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&body)).await?.expect(200)?;
        service.settled().await?;
        assert_eq!(asked("user.email_confirmation_requested")?, 4);
        let all = published.events()?;
        ensure!(
            all.iter().all(|event| !event.to_string().contains("example.com\"")),
            "an event has an address"
        );
        Ok(())
    })
}

/// Whoever's account it becomes.
#[test]
fn an_address_is_not_written_to_for_each_change_to_it() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let options = Options { observers: vec![Arc::clone(&published) as _], ..Options::simulated(7) };
        let service = Service::start(&users::SERVICE.functions(), options).await?;
        let mut held = service.customer("ada@example.com").await?;
        for _ in 0..4 {
            for email in ["victim@example.com", "ada@example.com"] {
                let body = json!({ "email": email, "current_password": PASSWORD });
                service.send_as(&held, Method::PATCH, "/users/me", Some(&body)).await?.expect(200)?;
                held = service.log_in(email).await?;
            }
        }
        service.settled().await?;
        let is_mail = |event: &&Value| event["type"] == "user.email_confirmation_requested";
        assert_eq!(published.events()?.iter().filter(is_mail).count(), 6, "three to each");
        Ok(())
    })
}
