//! Deleting an account: by whom, with what proof, and what is left.

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use serde_json::json;
use service_tests::{PASSWORD, Service, simulate};
use shop_local::cloud::Options;

async fn service(seed: u64) -> Result<Service> {
    Service::start(&users::SERVICE.functions(), Options::simulated(seed)).await
}

#[test]
fn a_deleted_user_is_gone_and_the_address_is_free() -> Result<()> {
    simulate(async {
        let service = service(1).await?;
        let ada = service.customer("ada@example.com").await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        service.leave(&ada).await?.expect(204)?;
        let path = format!("/users/{}", ada.id);
        for (who, status, code) in [(&ada, 401, "unauthorized"), (&administrator, 404, "not_found")] {
            service.send_as(who, Method::GET, &path, None).await?.problem(status, code)?;
            service.send_as(who, Method::DELETE, &path, None).await?.problem(status, code)?;
        }
        service.try_log_in("ada@example.com", PASSWORD).await?.problem(401, "invalid_credentials")?;
        let refreshed = service.post("/sessions/refresh", &json!({ "refresh_token": ada.refresh })).await?;
        refreshed.problem(401, "invalid_refresh_token")?;
        let listed = service.send_as(&administrator, Method::GET, "/users", None).await?.expect(200)?;
        assert!(!listed.text.contains(&ada.id), "{}", listed.text);
        assert_ne!(service.customer("ada@example.com").await?.id, ada.id, "an id is never given out again");
        Ok(())
    })
}

#[test]
fn who_leaves_gives_the_password_and_who_runs_the_shop_does_not() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        let ada = service.customer("ada@example.com").await?;
        let path = format!("/users/{}", ada.id);
        for path in ["/users/me", &path] {
            let missing = service.send_as(&ada, Method::DELETE, path, None).await?;
            let missing = missing.problem(422, "invalid_request")?;
            assert_eq!(
                (missing.pointers(), &missing.body["errors"][0]["code"]),
                (vec!["/current_password"], &json!("missing"))
            );
            let wrong = json!({ "current_password": "a wrong password" });
            let wrong = service.send_as(&ada, Method::DELETE, path, Some(&wrong)).await?;
            assert_eq!(wrong.problem(422, "invalid_request")?.body["errors"][0]["code"], "wrong_password");
        }
        let unknown = json!({ "current_password": PASSWORD, "password": PASSWORD });
        let unknown = service.send_as(&ada, Method::DELETE, "/users/me", Some(&unknown)).await?;
        assert_eq!(unknown.problem(422, "invalid_request")?.pointers(), ["/password"]);
        let headers = [("authorization", ada.access.as_str()), ("content-type", "application/json")];
        let broken = service.request(Method::DELETE, "/users/me", Bytes::from_static(b"{"), &headers).await?;
        broken.problem(400, "malformed_json")?;
        service.log_in("ada@example.com").await?;

        let administrator = service.new_administrator("admin@example.com").await?;
        let second = service.new_administrator("second@example.com").await?;
        service.send_as(&administrator, Method::DELETE, &path, None).await?.expect(204)?;
        // An administrator who leaves is a user like any other.
        service.send_as(&second, Method::DELETE, "/users/me", None).await?.problem(422, "invalid_request")?;
        service.leave(&second).await?.expect(204)?;
        Ok(())
    })
}

#[test]
fn a_deleted_account_s_own_token_is_over() -> Result<()> {
    simulate(async {
        let service = service(2).await?;
        let ada = service.customer("ada@example.com").await?;
        service.leave(&ada).await?.expect(204)?;
        let name = json!({ "name": "Another" });
        service.send_as(&ada, Method::GET, "/users/me", None).await?.problem(401, "unauthorized")?;
        service.send_as(&ada, Method::PATCH, "/users/me", Some(&name)).await?.problem(401, "unauthorized")?;
        service.send_as(&ada, Method::DELETE, "/users/me", None).await?.problem(401, "unauthorized")?;
        Ok(())
    })
}
