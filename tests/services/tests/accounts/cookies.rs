//! A browser's session is a cookie that no script reads, and that no page of another origin can use.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

const BY_COOKIE: (&str, &str) = ("session-transport", "cookie");
const JSON: (&str, &str) = ("content-type", "application/json");
const NAME: &str = "__Host-refresh=";

async fn service() -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(1)).await
}

async fn log_in(service: &Service, headers: &[(&str, &str)]) -> Result<Answer> {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    service.request(Method::POST, "/sessions", body.into(), &headers).await
}

async fn refresh(service: &Service, body: Option<&Value>, headers: &[(&str, &str)]) -> Result<Answer> {
    let (body, kind) = match body {
        Some(body) => (Bytes::from(body.to_string()), Some(JSON)),
        None => (Bytes::new(), None),
    };
    let headers: Vec<_> = kind.into_iter().chain(headers.iter().copied()).collect();
    service.request(Method::POST, "/sessions/refresh", body, &headers).await
}

/// The cookie of an answer as a browser sends it, once it is held to be one that no script and no other site has.
fn cookie(answer: &Answer) -> Result<String> {
    let lines: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    ensure!(lines.len() == 1, "{lines:?}");
    let line = lines[0].to_str()?;
    let mut parts = line.split("; ");
    let pair = parts.next().context("a cookie")?;
    ensure!(pair.starts_with(NAME), "{line}");
    let lasts = answer.body["refresh_expires_in"].as_i64().context("refresh_expires_in")?;
    let expected = ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", &format!("Max-Age={lasts}")];
    ensure!(parts.eq(expected), "{line}");
    ensure!(answer.body["refresh_token"].is_null(), "a script could read it: {}", answer.body);
    Ok(pair.to_owned())
}

#[test]
fn a_page_renews_its_session_by_a_cookie_and_two_at_once_are_given_the_same() -> Result<()> {
    simulate(async {
        let service = service().await?;
        service.customer("ada@example.com").await?;
        let first = cookie(&log_in(&service, &[BY_COOKIE]).await?.expect(201)?)?;
        let (held, empty) = ([BY_COOKIE, ("cookie", first.as_str())], json!({}));
        let (one, other) =
            futures::join!(refresh(&service, None, &held), refresh(&service, Some(&empty), &held));
        let (one, other) = (one?.expect(200)?, other?.expect(200)?);
        let next = cookie(&one)?;
        ensure!(next != first && cookie(&other)? == next, "{next}");
        // Among others, and where the browser says that it is the shop's page.
        let among = format!("theme=dark; {next}");
        let headers = [BY_COOKIE, ("cookie", among.as_str()), ("sec-fetch-site", "same-origin")];
        let third = refresh(&service, None, &headers).await?.expect(200)?;
        let access = third.body["access_token"].as_str().context("a token")?;
        let out = [BY_COOKIE, ("authorization", access)];
        let ended =
            service.request(Method::DELETE, "/sessions/current", Bytes::new(), &out).await?.expect(204)?;
        let line = ended.headers["set-cookie"].to_str()?;
        ensure!(line == "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0", "{line}");
        let last = cookie(&third)?;
        let over = refresh(&service, None, &[BY_COOKIE, ("cookie", last.as_str())]).await?;
        ensure!(over.headers.get("set-cookie").is_none());
        over.problem(401, "invalid_refresh_token")?;
        Ok(())
    })
}

#[test]
fn what_is_refused_takes_no_cookie_away_and_ends_no_session() -> Result<()> {
    simulate(async {
        let service = service().await?;
        service.customer("ada@example.com").await?;
        let held = cookie(&log_in(&service, &[BY_COOKIE]).await?.expect(201)?)?;
        let with = ("cookie", held.as_str());
        let token = held.strip_prefix(NAME).context("a token")?;
        let (in_body, empty) = (json!({ "refresh_token": token }), json!({}));
        for (body, headers, status, code) in [
            (None, vec![BY_COOKIE], 401, "invalid_refresh_token"),
            (None, vec![BY_COOKIE, ("cookie", "__Host-refresh=rt1.nonsense")], 401, "invalid_refresh_token"),
            (None, vec![BY_COOKIE, ("cookie", "refresh=a")], 401, "invalid_refresh_token"),
            (Some(&in_body), vec![BY_COOKIE, with], 422, "invalid_request"),
            (None, vec![BY_COOKIE, with, ("sec-fetch-site", "cross-site")], 403, "forbidden"),
            (None, vec![BY_COOKIE, with, ("sec-fetch-site", "same-site")], 403, "forbidden"),
            (None, vec![("session-transport", "Cookie"), with], 400, "invalid_session_transport"),
            (None, vec![BY_COOKIE, BY_COOKIE, with], 400, "invalid_session_transport"),
            // Who says nothing is no page: a cookie is nothing to it.
            (None, vec![with], 400, "empty_body"),
            (Some(&empty), vec![with], 422, "invalid_request"),
        ] {
            let answer = refresh(&service, body, &headers).await?;
            ensure!(answer.headers.get("set-cookie").is_none(), "{headers:?}");
            answer.problem(status, code)?;
        }
        log_in(&service, &[("session-transport", "body")])
            .await?
            .problem(400, "invalid_session_transport")?;
        // And a program's session is as it was.
        let plain = log_in(&service, &[]).await?.expect(201)?;
        ensure!(plain.headers.get("set-cookie").is_none() && plain.body["refresh_token"].is_string());
        cookie(&refresh(&service, None, &[BY_COOKIE, with]).await?.expect(200)?)?;
        Ok(())
    })
}
