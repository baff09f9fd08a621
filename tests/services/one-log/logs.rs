//! What is logged: no password, no token, no e-mail address, no name and no network address, at any level of our
//! own code and at the default level of everything below it. In a process of its own, since a process has one log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use http::Method;
use serde_json::json;
use service_tests::{Lines, Service, simulate};
use shop_local::cloud::Options;

#[test]
fn no_line_of_the_log_says_who_somebody_is_or_proves_it() -> Result<()> {
    let lines = Lines::default();
    let subscriber = shop_lambda::log::subscriber(tracing::Level::TRACE, lines.clone());
    tracing::subscriber::set_global_default(subscriber)?;
    let secrets = simulate_flows()?;
    let log = lines.text()?;
    // It is the log that is searched, and not an empty one.
    for said in ["a token was refused", "a refresh token was used twice", "an administrator was made"] {
        assert!(log.contains(said), "nothing was logged of: {said}");
    }
    for secret in &secrets {
        let found = log.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert!(found.is_none(), "{secret} is in: {found:?}");
    }
    Ok(())
}

/// Goes through all that is done with secrets, well and badly. Returns what must be in no log.
fn simulate_flows() -> Result<Vec<String>> {
    let mut secrets: Vec<String> =
        ["marked-password", "marked.address", "Marked Name", "198.51.100.77", "$argon2id$"]
            .map(str::to_owned)
            .into();
    let collected = Mutex::new(Vec::new());
    let keep = |text: &str| collected.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let (email, password) = ("marked.address@example.com", "marked-password-1");
        let post = async |path: &str, body| service.post_from("198.51.100.77", path, &body).await;
        let log_in = async |email: &str, password: &str| {
            let answer =
                post("/sessions", json!({ "email": email, "password": password })).await?.expect(201)?;
            let text = |name: &str| answer.body[name].as_str().map(str::to_owned).context("a token");
            let (access, refresh, device) =
                (text("access_token")?, text("refresh_token")?, text("device_token")?);
            for token in [&access, &refresh] {
                keep(token);
            }
            for token in [&access, &refresh, &device] {
                keep(token.rsplit('.').next().unwrap_or_default());
            }
            anyhow::Ok(service_tests::Account {
                id: text("user_id")?,
                email: email.to_owned(),
                access,
                refresh,
                device,
            })
        };
        post("/users", json!({ "email": email, "password": password, "name": "Marked Name" }))
            .await?
            .expect(201)?;
        post("/users", json!({ "email": email, "password": password, "name": "Marked Name" }))
            .await?
            .expect(409)?;
        post("/users", json!({ "email": "marked.address", "password": "marked-password", "x": 1 }))
            .await?
            .expect(422)?;
        post("/users", json!("marked-password")).await?.expect(422)?;
        post("/sessions", json!({ "email": email, "password": "marked-password-wrong" }))
            .await?
            .expect(401)?;
        let me = log_in(email, password).await?;
        let (access, refresh) = (&me.access, &me.refresh);
        let next = post("/sessions/refresh", json!({ "refresh_token": refresh })).await?.expect(200)?;
        keep(
            next.body["refresh_token"]
                .as_str()
                .and_then(|text| text.rsplit('.').next())
                .context("a token")?,
        );
        // A second time, too late.
        service.pass(Duration::from_secs(11)).await;
        post("/sessions/refresh", json!({ "refresh_token": refresh })).await?.expect(401)?;
        let broken = service_tests::Account { access: format!("{access}x"), ..me.clone() };
        service.send_as(&broken, Method::GET, "/users/me", None).await?.expect(401)?;
        let change = json!({ "email": "marked.address.2@example.com", "current_password": password, "password": "marked-password-2" });
        // That ended the session, and what is left of its token changes no account.
        service.send_as(&me, Method::PATCH, "/users/me", Some(&change)).await?.expect(401)?;
        let me = log_in(email, password).await?;
        service.send_as(&me, Method::PATCH, "/users/me", Some(&change)).await?.expect(200)?;
        // The token of before has ended with the password and the address.
        let me = log_in("marked.address.2@example.com", "marked-password-2").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 1, "stock": 5 });
        let administrator = service.new_administrator("marked.address.admin@example.com").await?;
        service.send_as(&administrator, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }], "email": "marked.address.guest@example.com" });
        post("/orders", order).await?.expect(201)?;
        service.send_as(&administrator, Method::GET, "/users", None).await?.expect(200)?;
        service.send_as(&me, Method::DELETE, "/sessions/current", None).await?.expect(204)?;
        let me = log_in("marked.address.2@example.com", "marked-password-2").await?;
        let proof = json!({ "current_password": "marked-password-2" });
        service.send_as(&me, Method::DELETE, "/users/me", Some(&proof)).await?.expect(204)?;
        service.settled().await
    })?;
    secrets.extend(collected.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(secrets)
}
