//! Accounts: one for an address, whoever asks at once; changed, promoted and erased.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use http::Method;
use serde_json::json;
use service_tests::{Item, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

#[test]
fn two_hundred_registrations_of_one_address_are_one_account() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let spellings = ["ada@example.com", "Ada@Example.com", " ADA@EXAMPLE.COM ", "aDa@example.COM"];
        let asked = (0..200).map(|n| {
            let (service, email) = (&service, spellings[n % spellings.len()]);
            let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
            async move { service.post_from(&format!("192.0.2.{n}"), "/users", &body).await }
        });
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "one account");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert!(answer.status == 409 && answer.body["code"] == "email_taken", "{answer:?}");
            // It says that, and nothing of the account.
            assert!(!answer.text.contains(made[0].body["id"].as_str().unwrap_or("?")), "{answer:?}");
            assert!(!answer.text.to_lowercase().contains("ada@"), "{answer:?}");
        }
        let administrator = service.new_administrator("admin@example.com").await?;
        let listed = service.send_as(&administrator, Method::GET, "/users", None).await?.expect(200)?;
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(2), "{}", listed.text);
        Ok(())
    })
}

#[test]
fn another_address_moves_the_claim_and_a_taken_one_does_not() -> Result<()> {
    simulate(async {
        let service = service(3).await?;
        let ada = service.customer("ada@example.com").await?;
        let eve = service.customer("eve@example.com").await?;
        let path = format!("/users/{}", ada.id);
        let change = |email: &str| json!({ "email": email, "current_password": PASSWORD });
        let taken = service.send_as(&ada, Method::PATCH, &path, Some(&change("Eve@example.com"))).await?;
        taken.problem(409, "email_taken")?;
        let moved =
            service.send_as(&ada, Method::PATCH, "/users/me", Some(&change("new@example.com"))).await?;
        assert_eq!(moved.expect(200)?.body["email"], "new@example.com");
        service.try_log_in("ada@example.com", PASSWORD).await?.problem(401, "invalid_credentials")?;
        assert_eq!(service.log_in("NEW@example.com").await?.id, ada.id);
        // The old address is free, and the same address in other letters is no move.
        service.customer("ada@example.com").await?;
        let respelled =
            service.send_as(&eve, Method::PATCH, "/users/me", Some(&change("EVE@example.com"))).await?;
        assert_eq!(respelled.expect(200)?.body["email"], "EVE@example.com");
        assert_eq!(service.log_in("eve@example.com").await?.id, eve.id);
        Ok(())
    })
}

#[test]
fn of_many_who_move_to_one_address_one_gets_it() -> Result<()> {
    simulate(async {
        let service = service(4).await?;
        let mut people = Vec::new();
        for n in 0..8 {
            people.push(service.customer(&format!("person-{n}@example.com")).await?);
        }
        let wish = json!({ "email": "wanted@example.com", "current_password": PASSWORD });
        let asked = people.iter().map(|who| service.send_as(who, Method::PATCH, "/users/me", Some(&wish)));
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>>>()?;
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(200), count(409)), (1, 7), "{answers:?}");
        Ok(())
    })
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_ends_every_session() -> Result<()> {
    simulate(async {
        let service = service(5).await?;
        let ada = service.customer("ada@example.com").await?;
        let other = service.log_in("ada@example.com").await?;
        let change = |current: &str| json!({ "password": "another password", "current_password": current });
        let wrong =
            service.send_as(&ada, Method::PATCH, "/users/me", Some(&change("a wrong password"))).await?;
        let wrong = wrong.problem(422, "invalid_request")?;
        assert_eq!(wrong.body["errors"][0]["code"], "wrong_password");
        for (password, code) in [
            ("password1234", "too_common"),
            ("Ada@example.com", "resembles_account"),
            ("            ", "blank"),
        ] {
            let weak = json!({ "password": password, "current_password": PASSWORD });
            let weak = service.send_as(&ada, Method::PATCH, "/users/me", Some(&weak)).await?;
            assert_eq!(weak.problem(422, "invalid_request")?.body["errors"][0]["code"], code);
        }
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&change(PASSWORD))).await?.expect(200)?;
        for session in [&ada, &other] {
            let refreshed =
                service.post("/sessions/refresh", &json!({ "refresh_token": session.refresh })).await?;
            refreshed.problem(401, "invalid_refresh_token")?;
        }
        service.try_log_in("ada@example.com", PASSWORD).await?.problem(401, "invalid_credentials")?;
        service.try_log_in("ada@example.com", "another password").await?.expect(201)?;
        Ok(())
    })
}

#[test]
fn an_account_has_versions() -> Result<()> {
    simulate(async {
        let service = service(6).await?;
        let ada = service.customer("ada@example.com").await?;
        let read = service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        assert_eq!((read.header("etag")?, &read.body["role"]), ("\"v1\"", &json!("customer")));
        assert!(!read.text.contains("argon2") && read.body.get("password").is_none(), "{}", read.text);
        let rename = json!({ "name": "Ada King" }).to_string();
        let patch = async |tag: &str| {
            let headers =
                [("authorization", &*ada.access), ("content-type", "application/json"), ("if-match", tag)];
            service.request(Method::PATCH, "/users/me", rename.clone().into(), &headers).await
        };
        assert_eq!(patch("\"v1\"").await?.expect(200)?.header("etag")?, "\"v2\"");
        patch("\"v1\"").await?.problem(412, "stale_version")?;
        let headers = [("authorization", &*ada.access), ("if-none-match", "\"v2\"")];
        service.request(Method::GET, "/users/me", bytes::Bytes::new(), &headers).await?.expect(304)?;
        Ok(())
    })
}

#[test]
fn a_role_is_given_by_an_administrator_and_ends_the_sessions_of_the_old_one() -> Result<()> {
    simulate(async {
        let service = service(7).await?;
        let ada = service.customer("ada@example.com").await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        let path = format!("/users/{}/role", ada.id);
        let role = |name: &str| json!({ "role": name });
        let given =
            service.send_as(&administrator, Method::PUT, &path, Some(&role("admin"))).await?.expect(200)?;
        assert_eq!((&given.body["role"], &given.body["version"]), (&json!("admin"), &json!(2)));
        let same =
            service.send_as(&administrator, Method::PUT, &path, Some(&role("admin"))).await?.expect(200)?;
        assert_eq!(same.body["version"], 2, "nothing changed");
        let old = service.post("/sessions/refresh", &json!({ "refresh_token": ada.refresh })).await?;
        old.problem(401, "invalid_refresh_token")?;
        let ada = service.log_in("ada@example.com").await?;
        service.send_as(&ada, Method::GET, "/users", None).await?.expect(200)?;
        service.send_as(&administrator, Method::PUT, &path, Some(&role("customer"))).await?.expect(200)?;
        let ada = service.log_in("ada@example.com").await?;
        service.send_as(&ada, Method::GET, "/users", None).await?.problem(403, "forbidden")?;
        let nobody = "/users/usr_00000000000000000000000000/role";
        service
            .send_as(&administrator, Method::PUT, nobody, Some(&role("admin")))
            .await?
            .problem(404, "not_found")?;
        Ok(())
    })
}

#[test]
fn the_directory_has_pages() -> Result<()> {
    simulate(async {
        let service = service(9).await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        for n in 0..5 {
            service.register(&format!("person-{n}@example.com")).await?.expect(201)?;
        }
        let (mut path, mut seen) = ("/users?limit=2".to_owned(), Vec::new());
        loop {
            let page = service.send_as(&administrator, Method::GET, &path, None).await?.expect(200)?;
            let ids = page.body["data"].as_array().into_iter().flatten();
            seen.extend(ids.filter_map(|user| user["email"].as_str().map(str::to_owned)));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/users?limit=2&cursor={cursor}");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6, "{seen:?}");
        Ok(())
    })
}

/// Puts an account into the table as register-user would, with a name that takes 84 KB in an answer.
async fn put_large(client: &Client, account: &Item, number: usize) -> Result<String> {
    let text = |name: &str| account[name].as_s().map_err(|_| anyhow!("{name} is no text"));
    let of = text("id")?;
    let id = format!("{}{number:03}", &of[..of.len() - 3]);
    let mut item = account.clone();
    for (name, value) in
        [("pk", id.clone()), ("id", id.clone()), ("listed", text("listed")?.replace(of, &id))]
    {
        item.insert(name.to_owned(), AttributeValue::S(value));
    }
    if let Some(AttributeValue::M(profile)) = item.get_mut("profile") {
        profile.insert("name".to_owned(), AttributeValue::S("\u{1}".repeat(12_000)));
    }
    client.put_item().table_name("UsersTable").set_item(Some(item)).send().await?;
    Ok(id)
}

#[test]
fn a_page_of_large_accounts_ends_by_bytes_and_goes_on() -> Result<()> {
    simulate(async {
        let service = service(10).await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        let users = service.items("UsersTable").await?;
        let account = users.iter().find(|item| item.contains_key("listed")).context("an account")?;
        let client = Client::new(&service.cloud.sdk_config("test"));
        let mut put = Vec::new();
        for number in 0..80 {
            put.insert(0, put_large(&client, account, number).await?);
        }
        service.pass(Duration::from_secs(2)).await;
        let (mut path, mut seen, mut pages) = ("/users?limit=100".to_owned(), Vec::new(), 0);
        loop {
            let page = service.send_as(&administrator, Method::GET, &path, None).await?.expect(200)?;
            // Lambda's answer holds the body as a JSON text.
            let answer = serde_json::to_string(&page.text)?.len();
            ensure!(answer < 5_500_000, "{answer} bytes");
            let ids = page.body["data"].as_array().into_iter().flatten();
            seen.extend(ids.filter_map(|user| user["id"].as_str().map(str::to_owned)));
            pages += 1;
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/users?limit=100&cursor={cursor}");
        }
        seen.retain(|id| *id != administrator.id);
        assert_eq!(seen, put);
        ensure!(pages >= 2, "{pages} pages");
        Ok(())
    })
}

#[test]
fn every_fixture_is_understood() -> Result<()> {
    simulate(async {
        let service = service(11).await?;
        for (function, status) in [
            ("register-user", 201),
            ("create-session", 201),
            ("refresh-session", 401),
            ("delete-session", 204),
            ("list-users", 200),
            // The fixtures' user is none of this table.
            ("get-user", 401),
            ("update-user", 401),
            ("delete-user", 404),
            ("set-user-role", 404),
            ("get-user-stats", 200),
            ("get-jwks", 200),
        ] {
            let answer = service.invoke_fixture(function).await?;
            assert_eq!(answer["statusCode"], status, "{function}: {answer}");
        }
        assert_eq!(service.invoke_fixture("create-admin").await?["result"], "created");
        Ok(())
    })
}
