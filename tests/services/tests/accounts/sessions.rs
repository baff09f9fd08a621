//! Sessions: what a log-in costs, refresh tokens that are good once, and keys that are rotated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, join_all, ready};
use http::Method;
use serde_json::json;
use service_tests::{Account, Answer, PASSWORD, Service, simulate};
use shop_local::cloud::{Call, Fault, Interceptor, Options};

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

async fn refresh(service: &Service, token: &str) -> Result<Answer> {
    service.post("/sessions/refresh", &json!({ "refresh_token": token })).await
}

/// The calls of DynamoDB that a function makes for one request.
async fn calls(
    service: &Service,
    function: &str,
    request: impl Future<Output = Result<Answer>>,
) -> Result<u64> {
    let count = || {
        service
            .cloud
            .meter()
            .sum(|entry| entry.caller == function && entry.operation.starts_with("dynamodb:"))
            .calls
    };
    let before = count();
    request.await?;
    Ok(count() - before)
}

#[test]
fn a_log_in_is_three_calls_for_who_is_known_and_a_refresh_two() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        // The first one starts the functions.
        let ada = service.customer("ada@example.com").await?;
        refresh(&service, &ada.refresh).await?.expect(200)?;
        // One read of all, one count, and one transaction, of which the meter counts the writes.
        let log_in = service.try_log_in("ada@example.com", PASSWORD);
        assert_eq!(calls(&service, "create-session", log_in).await?, 3);
        let body = json!({ "email": ada.email, "password": PASSWORD, "device_token": ada.device });
        let log_in = service.post_from("192.0.2.1", "/sessions", &body);
        assert_eq!(calls(&service, "create-session", log_in).await?, 3);
        // Strangers are counted at three levels, and nothing is written after a wrong password.
        for email in ["ada@example.com", "eve@example.com"] {
            let guess = json!({ "email": email, "password": "a wrong password" });
            let log_in = service.post_from("192.0.2.2", "/sessions", &guess);
            assert_eq!(calls(&service, "create-session", log_in).await?, 4, "{email}");
        }
        let again = service.log_in("ada@example.com").await?;
        // One BatchGetItem that the meter counts once for each of its two tables, and one write.
        assert_eq!(calls(&service, "refresh-session", refresh(&service, &again.refresh)).await?, 3);
        // Once it has started, a token is checked without any call.
        assert_eq!(
            calls(&service, "get-user", service.send_as(&again, Method::GET, "/users/me", None)).await?,
            2,
            "one read of the account, and that of the keys at the start"
        );
        assert_eq!(
            calls(&service, "get-user", service.send_as(&again, Method::GET, "/users/me", None)).await?,
            1
        );
        Ok(())
    })
}

#[test]
fn nobody_can_tell_an_unknown_address_from_a_wrong_password() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        service.customer("ada@example.com").await?;
        let wrong = service.try_log_in("ada@example.com", "a wrong password").await?;
        let unknown = service.try_log_in("eve@example.com", "a wrong password").await?;
        let mut bodies = [wrong, unknown].map(|answer| answer.problem(401, "invalid_credentials"));
        for answer in &mut bodies {
            let answer = answer.as_mut().map_err(|error| anyhow::anyhow!("{error:#}"))?;
            assert_eq!(answer.header("www-authenticate")?, "Bearer");
            answer.body["request_id"].take();
        }
        let [wrong, unknown] = bodies.map(|answer| answer.map(|answer| answer.body).ok());
        assert_eq!(wrong, unknown);
        Ok(())
    })
}

#[test]
fn a_session_goes_on_and_a_token_that_was_used_before_ends_it() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        let ada = service.customer("ada@example.com").await?;
        let other = service.log_in("ada@example.com").await?;
        let mut tokens = vec![ada.refresh.clone()];
        for _ in 0..3 {
            let answer = refresh(&service, tokens.last().context("a token")?).await?.expect(200)?;
            assert_eq!(
                (&answer.body["token_type"], &answer.body["expires_in"]),
                (&json!("Bearer"), &json!(900))
            );
            assert_eq!(answer.header("cache-control")?, "no-store");
            let access = answer.body["access_token"].as_str().context("a token")?.to_owned();
            let who = Account { access, ..ada.clone() };
            service.send_as(&who, Method::GET, "/users/me", None).await?.expect(200)?;
            tokens.push(answer.body["refresh_token"].as_str().context("a token")?.to_owned());
        }
        // Not within the last one's grace: of any that was issued before.
        refresh(&service, &tokens[1]).await?.problem(401, "invalid_refresh_token")?;
        for token in &tokens {
            refresh(&service, token).await?.problem(401, "invalid_refresh_token")?;
        }
        refresh(&service, &other.refresh).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn of_those_who_use_one_token_at_once_each_gets_the_same_next_one_and_the_session_goes_on() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let ada = service.customer("ada@example.com").await?;
        let mut token = ada.refresh;
        for _ in 0..3 {
            let answers = join_all((0..5).map(|_| refresh(&service, &token))).await;
            let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
            let next = answers[0].body["refresh_token"].clone();
            for answer in answers {
                assert_eq!(answer.expect(200)?.body["refresh_token"], next);
            }
            token = next.as_str().context("a token")?.to_owned();
        }
        // A client whose answer got lost asks again, in time.
        let lost = refresh(&service, &token).await?.expect(200)?;
        service.pass(Duration::from_secs(8)).await;
        assert_eq!(
            refresh(&service, &token).await?.expect(200)?.body["refresh_token"],
            lost.body["refresh_token"]
        );
        service.pass(Duration::from_secs(3)).await;
        refresh(&service, &token).await?.problem(401, "invalid_refresh_token")?;
        // That was too late, and is a reuse.
        let next = lost.body["refresh_token"].as_str().context("a token")?;
        refresh(&service, next).await?.problem(401, "invalid_refresh_token")?;
        Ok(())
    })
}

#[test]
fn a_token_that_was_never_issued_does_not_end_a_session_that_it_names() -> Result<()> {
    simulate(async {
        let service = service(10).await?;
        let ada = service.customer("ada@example.com").await?;
        let secret = ada.refresh.rsplit('.').next().context("a secret")?;
        let all_but_secret = ada.refresh.strip_suffix(secret).context("the rest")?;
        for forged in ["A".repeat(43), format!("{}A", &secret[..42]), format!("A{}", &secret[1..])] {
            if forged == secret {
                continue;
            }
            let answer = refresh(&service, &format!("{all_but_secret}{forged}")).await?;
            answer.problem(401, "invalid_refresh_token")?;
        }
        refresh(&service, &ada.refresh).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_log_in_names_no_address_to_read_the_session_at() -> Result<()> {
    simulate(async {
        let service = service(11).await?;
        service.register("ada@example.com").await?.expect(201)?;
        let answer = service.try_log_in("ada@example.com", PASSWORD).await?.expect(201)?;
        assert!(!answer.headers.contains_key("location"), "{answer:?}");
        Ok(())
    })
}

/// Loses the answer of the first write of refresh-session.
struct LostAnswer(AtomicBool);

impl Interceptor for LostAnswer {
    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_write = &*call.caller == "refresh-session"
            && call.operation == "UpdateItem"
            && call.accesses.iter().any(|access| access.resource.contains("Sessions"));
        let lost = is_write && !self.0.swap(true, Ordering::SeqCst);
        ready(lost.then_some(Fault::Disconnected)).boxed()
    }
}

#[test]
fn a_write_of_our_own_whose_answer_is_lost_is_no_reuse() -> Result<()> {
    simulate(async {
        let trouble = Arc::new(LostAnswer(AtomicBool::new(false)));
        let options = Options { interceptor: Some(trouble.clone()), ..Options::simulated(5) };
        let service = Service::start(&users::SERVICE.functions(), options).await?;
        let ada = service.customer("ada@example.com").await?;
        let answer = refresh(&service, &ada.refresh).await?.expect(200)?;
        assert!(trouble.0.load(Ordering::SeqCst), "an answer was lost");
        refresh(&service, answer.body["refresh_token"].as_str().context("a token")?).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_log_out_ends_its_session_alone() -> Result<()> {
    simulate(async {
        let service = service(6).await?;
        let ada = service.customer("ada@example.com").await?;
        let other = service.log_in("ada@example.com").await?;
        for _ in 0..2 {
            service.send_as(&ada, Method::DELETE, "/sessions/current", None).await?.expect(204)?;
        }
        refresh(&service, &ada.refresh).await?.problem(401, "invalid_refresh_token")?;
        refresh(&service, &other.refresh).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_session_that_is_left_alone_ends() -> Result<()> {
    simulate(async {
        let service = service(7).await?;
        let ada = service.customer("ada@example.com").await?;
        // Virtual time: it takes none.
        tokio::time::sleep(Duration::from_hours(24 * 14 + 1)).await;
        refresh(&service, &ada.refresh).await?.problem(401, "invalid_refresh_token")?;
        service.log_in("ada@example.com").await?;
        Ok(())
    })
}

#[test]
fn texts_that_are_no_refresh_tokens_are_refused() -> Result<()> {
    simulate(async {
        let service = service(8).await?;
        let ada = service.customer("ada@example.com").await?;
        let foreign = service.customer("eve@example.com").await?;
        let part = |token: &str, n: usize| token.split('.').nth(n).unwrap_or_default().to_owned();
        for token in [
            ada.access.clone(),
            "x".to_owned(),
            ada.refresh.replace("rt1", "rt2"),
            ada.refresh.replace(&part(&ada.refresh, 1), &part(&foreign.refresh, 1)),
            ada.refresh.replace(&part(&ada.refresh, 2), &part(&foreign.refresh, 2)),
            format!("{}x", ada.refresh),
        ] {
            refresh(&service, &token).await?.problem(401, "invalid_refresh_token")?;
        }
        for body in [json!({}), json!({ "refresh_token": 7 }), json!({ "refresh_token": "x".repeat(513) })] {
            service.post("/sessions/refresh", &body).await?.problem(422, "invalid_request")?;
        }
        refresh(&service, &ada.refresh).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_retired_key_is_accepted_for_half_an_hour_and_then_dropped() -> Result<()> {
    simulate(async {
        let service = service(9).await?;
        let keys = async || -> Result<Vec<String>> {
            let answer = service
                .request(Method::GET, "/.well-known/jwks.json", Bytes::new(), &[])
                .await?
                .expect(200)?;
            let keys = answer.body["keys"].as_array().context("keys")?;
            assert!(
                keys.iter()
                    .all(|key| key["kty"] == "OKP" && key["crv"] == "Ed25519" && key["alg"] == "EdDSA")
            );
            assert!(keys.iter().all(|key| key.get("d").is_none()), "no private half");
            Ok(keys.iter().filter_map(|key| key["kid"].as_str().map(str::to_owned)).collect())
        };
        let old = service.issuer().kid().to_owned();
        assert_eq!(keys().await?, std::slice::from_ref(&old));
        // The first session function that starts signs with the stack's own secret: a rotation.
        let ada = service.customer("ada@example.com").await?;
        assert_eq!(keys().await?.len(), 2);
        let with_old = async || {
            let token = service.token(&ada.id)?;
            let headers = [("authorization", token.as_str())];
            service.request(Method::GET, "/users/me", Bytes::new(), &headers).await
        };
        with_old().await?.expect(200)?;
        tokio::time::sleep(Duration::from_mins(29)).await;
        with_old().await?.expect(200)?;
        tokio::time::sleep(Duration::from_mins(2)).await;
        with_old().await?.problem(401, "unauthorized")?;
        // It is gone for good once the new key is looked at again.
        let ada = service.log_in("ada@example.com").await?;
        service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        let left = keys().await?;
        assert!(left.len() == 1 && left[0] != old, "{left:?}");
        Ok(())
    })
}
