//! get-user-stats: who sees whose statistics, and what it costs to ask.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Method;
use service_tests::{Answer, Service, simulate};

use super::*;

const FUNCTION: &str = "get-user-stats";

async fn ask(service: &Service, whose: &str, token: &str, if_none_match: &str) -> Result<Answer> {
    let mut headers = vec![("if-none-match", if_none_match)];
    if !token.is_empty() {
        headers.push(("authorization", token));
    }
    service.request(Method::GET, &format!("/users/{whose}/stats"), Bytes::new(), &headers).await
}

#[test]
fn a_user_is_answered_from_the_table() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        let token = service.token(user().as_str())?;
        let zero = ask(&service, "me", &token, "").await?.expect(200)?;
        assert_eq!([&zero.body["orders_placed"], &zero.body["version"]], [0, 0]);
        assert!(deliver(&service, &[confirmed(0)]).await?.is_empty());
        let one = ask(&service, "me", &token, "\"v0\"").await?.expect(200)?;
        assert_eq!([&one.body["orders_placed"], &one.body["version"]], [1, 1]);
        let spent = r#""amount_spent":[{"currency":"USD","amount":0.10}]"#;
        assert!(one.text.contains(spent), "{}", one.text);
        ask(&service, "me", &token, "\"v1\"").await?.expect(304)?;
        Ok(())
    })
}

#[test]
fn nobody_is_shown_another_s_statistics() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        let token = service.token(user().as_str())?;
        ask(&service, other_user().as_str(), &token, "").await?.problem(404, "not_found")?;
        service.send(Method::GET, "/users/nobody/stats", None).await?.problem(404, "not_found")?;
        ask(&service, "me", "", "").await?.expect(401)?;
        Ok(())
    })
}

#[test]
fn who_never_had_an_account_has_no_statistics_and_who_is_deleted_keeps_them() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let ada = service.customer("ada@example.com").await?;
        let ask = async |whose: &str| {
            service.send_as(&admin, Method::GET, &format!("/users/{whose}/stats"), None).await
        };
        ask(other_user().as_str()).await?.problem(404, "not_found")?;
        ask(&ada.id).await?.expect(200)?;
        service.leave(&ada).await?.expect(204)?;
        let kept = ask(&ada.id).await?.expect(200)?;
        assert_eq!((&kept.body["user_id"], &kept.body["orders_placed"]), (&json!(ada.id), &json!(0)));
        // An account is asked for where there are no statistics alone, beside the administrator's own.
        deliver(&service, &[confirmed(0)]).await?;
        let (account, statistics) = ("BatchGetItem", "GetItem");
        for (whose, reads) in [
            (user().as_str(), vec![account, statistics]),
            (&ada.id, vec![account, statistics, account]),
            (&admin.id, vec![statistics]),
            ("me", vec![statistics]),
        ] {
            drop(calls.take());
            ask(whose).await?.expect(200)?;
            assert_eq!(calls.take_operations(), reads, "{whose}");
        }
        Ok(())
    })
}

#[test]
fn an_administrator_sees_others_while_the_account_says_so() -> Result<()> {
    const ADMINISTRATOR: u8 = 7;
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        let token = service.other_administrator(ADMINISTRATOR).await?;
        let id = UserId::fresh(Timestamp::from_millis(0), [ADMINISTRATOR; 10]);
        let pk = AttributeValue::S(id.to_string());
        let accounts = service.items("UsersTable").await?;
        let account = accounts.into_iter().find(|item| item["pk"] == pk).context("the account")?;
        let client = Client::new(&service.cloud.sdk_config("test"));
        // Somebody else, who has ordered nothing.
        let mut other = account.clone();
        other.insert("pk".to_owned(), AttributeValue::S(other_user().to_string()));
        other.insert("role".to_owned(), AttributeValue::S("customer".to_owned()));
        client.put_item().table_name("UsersTable").set_item(Some(other)).send().await?;
        for (stored, status) in [
            (None, 401),
            (Some(("admin", 1)), 200),
            (Some(("customer", 1)), 404),
            (Some(("admin", 2)), 401),
            (Some(("customer", 2)), 401),
        ] {
            if let Some((role, epoch)) = stored {
                let mut account = account.clone();
                account.insert("role".to_owned(), AttributeValue::S(role.to_owned()));
                account.insert("session_epoch".to_owned(), AttributeValue::N(epoch.to_string()));
                client.put_item().table_name("UsersTable").set_item(Some(account)).send().await?;
            } else {
                service.delete_item("UsersTable", id.as_str(), "account").await?;
            }
            let answer = ask(&service, other_user().as_str(), &token, "").await?;
            assert_eq!(answer.status, status, "{stored:?}: {}", answer.text);
            // One's own statistics are no power: they are read without asking the account.
            drop(calls.take());
            ask(&service, "me", &token, "").await?.expect(200)?;
            assert_eq!(calls.take_operations(), ["GetItem"]);
        }
        Ok(())
    })
}
