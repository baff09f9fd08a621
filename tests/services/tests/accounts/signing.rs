//! The signing secret: rotated, put back, not to be read, and too short; and the key table, where that is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use futures::future::{BoxFuture, FutureExt, ready};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Calls, PASSWORD, Service, simulate};
use shop_auth::RETIREMENT_SECONDS;
use shop_local::cloud::{AwsError, Call, Fault, Interceptor, Options};

const EMAIL: &str = "ada@example.com";

/// A signing secret that is rotated: while it is, another of the stack's secrets is read in its place.
#[derive(Default)]
struct Rotation {
    is_rotated: AtomicBool,
    is_lost: AtomicBool,
}

impl Rotation {
    fn rotate(&self, is_rotated: bool) {
        self.is_rotated.store(is_rotated, Ordering::SeqCst);
    }
}

impl Interceptor for Rotation {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_lost = self.is_lost.load(Ordering::SeqCst) && call.operation == "GetSecretValue";
        let error = || Fault::Error(AwsError::service("InternalServiceError", "It is lost"));
        ready(is_lost.then(error)).boxed()
    }

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        if call.operation != "GetSecretValue" || !self.is_rotated.load(Ordering::SeqCst) {
            return None;
        }
        Some(vec![String::from_utf8_lossy(&call.body).replace("TokenSecret", "LookupSecret").into_bytes()])
    }
}

struct Stage {
    rotation: Arc<Rotation>,
    service: Service,
}

impl Stage {
    /// Only the stack's own key is accepted, and its secret was read a moment ago.
    async fn new(seed: u64) -> Result<Self> {
        let rotation = Arc::<Rotation>::default();
        let options = Options { interceptor: Some(rotation.clone()), ..Options::simulated(seed) };
        let service = Service::start(&users::SERVICE.functions(), options).await?;
        service.customer(EMAIL).await?;
        // Until then the test's own key is one of those that were.
        service.pass(Duration::from_secs(RETIREMENT_SECONDS.unsigned_abs() + 1)).await;
        let stage = Self { rotation, service };
        stage.is_accepted(&stage.service.log_in(EMAIL).await?).await?;
        assert_eq!(stage.keys().await?, 1);
        Ok(stage)
    }

    async fn is_accepted(&self, account: &Account) -> Result<()> {
        self.service.send_as(account, Method::GET, "/users/me", None).await?.expect(200)?;
        Ok(())
    }

    async fn keys(&self) -> Result<usize> {
        let answer = self.service.request(Method::GET, "/.well-known/jwks.json", Bytes::new(), &[]).await?;
        Ok(answer.expect(200)?.body["keys"].as_array().context("keys")?.len())
    }
}

/// The key that a token is signed with.
fn kid(account: &Account) -> Result<Value> {
    let header = account.access.split('.').next().unwrap_or_default();
    let header: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes())?)?;
    Ok(header["kid"].clone())
}

#[test]
fn a_rotated_secret_signs_within_minutes_and_the_old_key_s_tokens_end_by_themselves() -> Result<()> {
    simulate(async {
        let stage = Stage::new(21).await?;
        let old = stage.service.log_in(EMAIL).await?;
        stage.rotation.rotate(true);
        stage.service.pass(Duration::from_mins(4)).await;
        assert_eq!(kid(&stage.service.log_in(EMAIL).await?)?, kid(&old)?);
        assert_eq!(stage.keys().await?, 1, "it is looked at every five minutes");
        stage.service.pass(Duration::from_mins(1)).await;
        let new = stage.service.log_in(EMAIL).await?;
        assert_ne!(kid(&new)?, kid(&old)?);
        assert_eq!(stage.keys().await?, 2);
        // Both are good, the new one at once, by a function that had read the table before.
        for account in [&old, &new] {
            stage.is_accepted(account).await?;
        }
        stage.service.pass(Duration::from_secs(RETIREMENT_SECONDS.unsigned_abs())).await;
        assert_eq!(stage.keys().await?, 1, "the old key is shown to nobody any more");
        let last = stage.service.log_in(EMAIL).await?;
        assert_eq!(kid(&last)?, kid(&new)?);
        stage.is_accepted(&last).await
    })
}

#[test]
fn a_secret_that_is_put_back_is_the_active_one_again() -> Result<()> {
    simulate(async {
        let stage = Stage::new(22).await?;
        let first = stage.service.log_in(EMAIL).await?;
        for is_rotated in [true, false] {
            stage.rotation.rotate(is_rotated);
            stage.service.pass(Duration::from_mins(5)).await;
            let account = stage.service.log_in(EMAIL).await?;
            assert_eq!(kid(&account)? != kid(&first)?, is_rotated);
            stage.is_accepted(&account).await?;
        }
        stage.service.pass(Duration::from_hours(1)).await;
        stage.is_accepted(&stage.service.log_in(EMAIL).await?).await?;
        assert_eq!(stage.keys().await?, 1);
        Ok(())
    })
}

#[test]
fn where_the_secret_cannot_be_read_anew_the_old_one_is_good_for_a_while() -> Result<()> {
    simulate(async {
        let stage = Stage::new(23).await?;
        stage.service.pass(Duration::from_mins(14)).await;
        stage.rotation.is_lost.store(true, Ordering::SeqCst);
        stage.is_accepted(&stage.service.log_in(EMAIL).await?).await?;
        stage.service.pass(Duration::from_mins(1)).await;
        stage.service.try_log_in(EMAIL, PASSWORD).await?.expect(500)?;
        stage.rotation.is_lost.store(false, Ordering::SeqCst);
        // It recovers by itself.
        stage.is_accepted(&stage.service.log_in(EMAIL).await?).await
    })
}

#[test]
fn a_key_table_that_is_lost_is_not_asked_for_at_every_request() -> Result<()> {
    simulate(async {
        let calls = Calls::of("get-user");
        let service = Service::start(&users::SERVICE.functions(), calls.options(24)).await?;
        let ada = service.customer(EMAIL).await?;
        service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        let of_keys = |call: &Call| call.accesses.iter().any(|access| access.resource.contains("Keys"));
        calls.fail(move |call| {
            // No error that the SDK tries again after.
            let error = || Fault::Error(AwsError::client("ValidationException", "It is lost"));
            of_keys(call).then(error)
        });
        for _ in 0..2 {
            service.pass(Duration::from_mins(16)).await;
            let ada = service.log_in(EMAIL).await?;
            drop(calls.take());
            for _ in 0..10 {
                service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
            }
            let asked = calls.take();
            let asked = asked.iter().filter(|made| made.body.to_string().contains("signing-keys")).count();
            assert_eq!(asked, 1, "what was read is old, and is still good");
        }
        Ok(())
    })
}

#[test]
fn a_short_secret_does_not_start() -> Result<()> {
    const GENERATED: &str =
        "access tokens is derived from this\n      GenerateSecretString: { PasswordLength: 64,";
    let short = GENERATED.replace("64", "16");
    simulate(async {
        let functions = users::SERVICE.functions();
        let service = Service::start_with(&functions, Options::simulated(25), &[(GENERATED, &short)]).await?;
        let error = service.invoke("create-session", &json!({})).await.unwrap_err();
        assert!(format!("{error:#}").contains("the signing secret"), "{error:#}");
        Ok(())
    })
}
