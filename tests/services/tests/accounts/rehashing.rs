//! A hash that was made with less work than is asked for now.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join;
use serde_json::json;
use service_tests::{Calls, Item, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

/// The memory of a hash: as the template has it, and the least that there may be.
const MEMORY: &str = "Default: 32768";
const LESS: &str = "Default: 19456";
const STRONG: &str = "$argon2id$v=19$m=32768,t=2,p=1$";
const WEAK: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
const EMAIL: &str = "ada@example.com";

/// The item of the only login there is.
async fn login(service: &Service) -> Result<Item> {
    let items = service.items("SessionsTable").await?;
    let is_login = |item: &Item| item["sk"].as_s().is_ok_and(|sk| sk == "login");
    let mut logins = items.into_iter().filter(is_login);
    let login = logins.next().context("a login")?;
    ensure!(logins.next().is_none(), "there is another one");
    Ok(login)
}

async fn hash(service: &Service) -> Result<String> {
    let login = login(service).await?;
    Ok(login["password"].as_s().map_err(|other| anyhow::anyhow!("{other:?}"))?.clone())
}

/// A hash of the password with less work, of a shop that asks for less. Each has a salt of its own.
async fn weak_hash(seed: u64) -> Result<String> {
    let options = Options::simulated(seed);
    let service = Service::start_with(&users::SERVICE.functions(), options, &[(MEMORY, LESS)]).await?;
    service.register(EMAIL).await?.expect(201)?;
    hash(&service).await
}

async fn replace_hash(service: &Service, hash: String) -> Result<()> {
    let mut login = login(service).await?;
    login.insert("password".to_owned(), AttributeValue::S(hash));
    let client = Client::new(&service.cloud.sdk_config("test"));
    client.put_item().table_name("SessionsTable").set_item(Some(login)).send().await?;
    Ok(())
}

#[test]
fn it_is_replaced_when_its_owner_logs_in_and_costs_no_call_more() -> Result<()> {
    const COUNTED: [&str; 3] = ["UpdateItem"; 3];
    simulate(async {
        let calls = Calls::of("create-session");
        let service = Service::start(&users::SERVICE.functions(), calls.options(1)).await?;
        // It starts the function.
        service.try_log_in("nobody@example.com", PASSWORD).await?.expect(401)?;
        service.register(EMAIL).await?.expect(201)?;
        let weak = weak_hash(2).await?;
        assert!(weak.starts_with(WEAK), "{weak}");
        replace_hash(&service, weak.clone()).await?;
        let log_in = json!({ "email": EMAIL, "password": PASSWORD });
        // The first log-in is a stranger's, the second one's address is known.
        for (counted, is_rehashed) in [(&COUNTED[..], true), (&COUNTED[..1], false)] {
            drop(calls.take());
            service.post_from("192.0.2.1", "/sessions", &log_in).await?.expect(201)?;
            let made = calls.take();
            let operations: Vec<_> = made.iter().map(|made| made.operation.as_str()).collect();
            assert_eq!(operations, [&["BatchGetItem"], counted, &["TransactWriteItems"]].concat());
            let writes = &made.last().context("a call")?.body["TransactItems"];
            assert_eq!(writes.to_string().contains(STRONG), is_rehashed, "{writes}");
            if is_rehashed {
                let values = &writes[1]["Update"]["ExpressionAttributeValues"];
                assert_eq!(values[":is_password"]["S"], weak);
                assert!(values[":set_password"]["S"].as_str().is_some_and(|set| set.starts_with(STRONG)));
            }
            let stored = hash(&service).await?;
            assert!(stored.starts_with(STRONG), "{stored}");
        }
        Ok(())
    })
}

#[test]
fn where_the_login_changes_meanwhile_it_stays_and_the_session_is_opened() -> Result<()> {
    simulate(async {
        let calls = Calls::of("create-session");
        let service = Service::start(&users::SERVICE.functions(), calls.options(3)).await?;
        service.register(EMAIL).await?.expect(201)?;
        let (before, meanwhile) = (weak_hash(4).await?, weak_hash(5).await?);
        assert_ne!(before, meanwhile);
        replace_hash(&service, before).await?;
        let hold = calls.hold_next("TransactWriteItems");
        let changed = hold.meanwhile(replace_hash(&service, meanwhile.clone()));
        let (answer, ()) = try_join(service.try_log_in(EMAIL, PASSWORD), changed).await?;
        let answer = answer.expect(201)?;
        let made = calls.take();
        let writes = made.last().context("a call")?.body["TransactItems"].to_string();
        assert!(writes.contains("session#") && !writes.contains(STRONG), "{writes}");
        assert_eq!(hash(&service).await?, meanwhile);
        let refresh = json!({ "refresh_token": answer.body["refresh_token"] });
        service.post("/sessions/refresh", &refresh).await?.expect(200)?;
        Ok(())
    })
}
