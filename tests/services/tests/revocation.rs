//! Power that was taken away is gone: whatever administrators alone may do is refused to a token of before, from the
//! moment of the change, and customers' routes pay nothing for it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, PASSWORD, Service, simulate};
use shop_http::{Access, Endpoint};
use shop_local::cloud::Options;

/// What became of an administrator since the token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Nothing,
    Demoted,
    Deleted,
    PasswordChanged,
    AddressChanged,
    LoggedOut,
    RefreshTokenReused,
}

impl Since {
    const ENDED: [Self; 6] = [
        Self::Demoted,
        Self::Deleted,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::LoggedOut,
        Self::RefreshTokenReused,
    ];
}

/// What only administrators may do, of somebody else's thing.
const POWERS: &[&str] = &[
    "GET /alerts",
    "GET /analytics/sales",
    "GET /analytics/products",
    "GET /monitor/events",
    "GET /monitor/stories/{order}",
    "GET /monitor/queues",
    "GET /users",
    "GET /users/{customer}",
    "GET /users/{customer}/stats",
    "PUT /users/{customer}/role",
    "PUT /users/me/role",
    "GET /orders?status=pending",
    "GET /orders?customer_id={customer}",
    "GET /orders/{order}",
    "POST /products",
    "POST /imports",
    "POST /exports",
    "GET /exports/{export}",
    "GET /monitor/dead-letters",
    "GET /monitor/dead-letters/{letter}",
    "GET /monitor/queues/settle-order/dead-letters",
    "POST /monitor/redrives",
    "POST /monitor/discards",
    "GET /monitor/redrives/{redrive}",
    "POST /imports/{import}/start",
    "GET /imports/{import}",
    "GET /imports/{import}/refusals",
    "PATCH /products/{product}",
    "PATCH /products/{product}/stock",
    "POST /orders/{order}/cancel",
    "PATCH /orders/{order}/status",
    "DELETE /products/{product}",
    "DELETE /users/{customer}",
];

struct Stage {
    service: Service,
    admin: Account,
    customer: Account,
    order: String,
    product: String,
    import: String,
    export: String,
    letter: String,
    redrive: String,
}

impl Stage {
    async fn new() -> Result<Self> {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("keeper@example.com").await?;
        let customer = service.customer("customer@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
        let order = service.send_as(&customer, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
        let order = order.body["id"].as_str().context("an id")?.to_owned();
        let import = service.new_import_as(&admin, "csv").await?;
        service.upload(&import, "name,price\nMug,1\n").await?;
        let import = import["id"].as_str().context("an id")?.to_owned();
        let export = service.new_export_as(&admin, "csv").await?;
        let letter = service.new_dead_letter_as(&admin).await?;
        let redrive = json!({ "consumer": "send-email", "reason": "It is mended" });
        let redrive = service.new_redrive_as(&admin, "/monitor/redrives", &redrive).await?;
        service.settled().await?;
        let product = "prod-1".to_owned();
        Ok(Self { service, admin, customer, order, product, import, export, letter, redrive })
    }

    /// An administrator with a token, of whom something has changed since it was issued.
    async fn administrator(&self, since: Since) -> Result<Account> {
        let email = format!("{since:?}@example.com").to_lowercase();
        let held = self.service.new_administrator(&email).await?;
        let path = format!("/users/{}", held.id);
        let admin = async |method: Method, path: &str, body: Option<Value>| {
            self.service.send_as(&self.admin, method, path, body.as_ref()).await
        };
        let own =
            async |body: Value| self.service.send_as(&held, Method::PATCH, "/users/me", Some(&body)).await;
        match since {
            Since::Nothing => {}
            Since::Demoted => {
                let role = Some(json!({ "role": "customer" }));
                admin(Method::PUT, &format!("{path}/role"), role).await?.expect(200)?;
            }
            Since::Deleted => drop(admin(Method::DELETE, &path, None).await?.expect(204)?),
            Since::PasswordChanged => {
                let body = json!({ "password": "Kestrel over the lake 7", "current_password": PASSWORD });
                own(body).await?.expect(200)?;
            }
            Since::AddressChanged => {
                let body = json!({ "email": "moved@example.com", "current_password": PASSWORD });
                own(body).await?.expect(200)?;
            }
            Since::LoggedOut => self.log_out(&held).await?,
            Since::RefreshTokenReused => self.reuse_refresh_token(&held).await?,
        }
        Ok(held)
    }

    async fn log_out(&self, held: &Account) -> Result<()> {
        self.service.send_as(held, Method::DELETE, "/sessions/current", None).await?.expect(204)?;
        Ok(())
    }

    /// As a thief and the owner do, one after the other: the session ends.
    async fn reuse_refresh_token(&self, held: &Account) -> Result<()> {
        let body = json!({ "refresh_token": held.refresh });
        self.service.post("/sessions/refresh", &body).await?.expect(200)?;
        self.service.pass(Duration::from_secs(11)).await;
        self.service.post("/sessions/refresh", &body).await?.problem(401, "invalid_refresh_token")?;
        Ok(())
    }

    async fn ask(&self, power: &str, who: &Account) -> Result<Answer> {
        let (method, path) = power.split_once(' ').context(power.to_owned())?;
        let path = path.replace("{customer}", &self.customer.id).replace("{order}", &self.order);
        let path = path
            .replace("{product}", &self.product)
            .replace("{import}", &self.import)
            .replace("{export}", &self.export)
            .replace("{letter}", &self.letter)
            .replace("{redrive}", &self.redrive);
        let body = match power {
            "POST /products" => Some(json!({ "name": "Another", "price": 1 })),
            "POST /imports" | "POST /exports" => Some(json!({ "format": "csv" })),
            "PATCH /orders/{order}/status" => Some(json!({ "status": "cancelled" })),
            "POST /monitor/redrives" | "POST /monitor/discards" => {
                Some(json!({ "consumer": "settle-order", "reason": "It is mended" }))
            }
            "PATCH /products/{product}" => Some(json!({ "price": 2 })),
            "PATCH /products/{product}/stock" => Some(json!({ "stock": 7 })),
            "PUT /users/{customer}/role" | "PUT /users/me/role" => Some(json!({ "role": "admin" })),
            _ => None,
        };
        self.service.send_as(who, method.parse()?, &path, body.as_ref()).await
    }
}

#[test]
fn a_token_of_before_has_no_power() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for since in Since::ENDED {
            let held = stage.administrator(since).await?;
            for power in POWERS {
                let answer = stage.ask(power, &held).await?;
                let answer = answer.expect(401).with_context(|| format!("{since:?}: {power}"))?;
                let challenge = answer.header("www-authenticate")?;
                ensure!(challenge.contains("invalid_token"), "{since:?}: {power}: {challenge}");
            }
            // And of routes that are administrators' alone, whichever there are.
            for route in services::routes().filter(|route| route.access == Access::Admin) {
                let path = route.endpoint.path.replace("{id}", &stage.order);
                let answer = stage.service.send_as(&held, route.endpoint.method.clone(), &path, None).await?;
                answer.expect(401).with_context(|| format!("{since:?}: {}", route.function.name()))?;
            }
            // Nor does the refusal tell which things there are.
            for route in services::routes() {
                let Endpoint { path, method } = &route.endpoint;
                let asks = async |id: &str| {
                    stage.service.send_as(&held, method.clone(), &path.replace("{id}", id), None).await
                };
                let (there, nowhere) = match path {
                    path if path.starts_with("/orders/{id}") => {
                        (stage.order.as_str(), "ord_06h1kwd5nf51teyy1z3q0kvfd4")
                    }
                    path if path.starts_with("/users/{id}") => {
                        (stage.customer.id.as_str(), "usr_06h1kwd5nf51teyy1z3q0kvfd4")
                    }
                    _ => continue,
                };
                let (there, nowhere) = (asks(there).await?, asks(nowhere).await?);
                let name = route.function.name();
                ensure!(there.status == nowhere.status, "{since:?}: {name}: {} {}", there.text, nowhere.text);
            }
        }
        // And nothing of it had an effect.
        let customer = format!("/users/{}", stage.customer.id);
        let customer =
            stage.service.send_as(&stage.admin, Method::GET, &customer, None).await?.expect(200)?;
        ensure!(customer.body["role"] == "customer", "{}", customer.text);
        // The powers are ones that an administrator has.
        let able = stage.administrator(Since::Nothing).await?;
        for power in POWERS {
            let answer = stage.ask(power, &able).await?;
            ensure!((200..300).contains(&answer.status), "{power}: {} {}", answer.status, answer.text);
        }
        Ok(())
    })
}

#[test]
fn who_was_demoted_and_logs_in_again_is_a_customer() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let held = stage.administrator(Since::Demoted).await?;
        let again = stage.service.log_in(&held.email).await?;
        stage.ask("GET /users", &again).await?.problem(403, "forbidden")?;
        stage.ask("PUT /users/me/role", &again).await?.problem(403, "forbidden")?;
        stage.ask("GET /orders/{order}", &again).await?.problem(404, "not_found")?;
        Ok(())
    })
}

/// Whoever it belongs to: what is left of a token after its session is no more than what it shows.
#[test]
fn a_token_of_an_ended_session_changes_no_account() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let service = &stage.service;
        for (is_reuse, email) in [(false, "left@example.com"), (true, "robbed@example.com")] {
            let held = service.customer(email).await?;
            let other = service.log_in(email).await?;
            if is_reuse {
                stage.reuse_refresh_token(&held).await?;
            } else {
                stage.log_out(&held).await?;
            }
            let name = json!({ "name": "Mallory" });
            let password = json!({ "password": "Kestrel over the lake 7", "current_password": PASSWORD });
            for body in [&name, &password] {
                let answer = service.send_as(&held, Method::PATCH, "/users/me", Some(body)).await?;
                answer.problem(401, "unauthorized")?;
            }
            service.leave(&held).await?.problem(401, "unauthorized")?;
            // The owner's other session goes on.
            service.send_as(&other, Method::PATCH, "/users/me", Some(&name)).await?.expect(200)?;
            service.leave(&other).await?.expect(204)?;
        }
        Ok(())
    })
}

#[test]
fn customers_and_guests_pay_nothing_for_it() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let service = &stage.service;
        let order = json!({ "items": [{ "product_id": stage.product, "quantity": 1 }] });
        service.send_as(&stage.customer, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
        service.post("/orders", &order).await?.expect(201)?;
        for path in [format!("/orders/{}", stage.order), "/orders".to_owned(), "/products".to_owned()] {
            service.send_as(&stage.customer, Method::GET, &path, None).await?.expect(200)?;
        }
        service.request(Method::GET, "/products/prod-1", Bytes::new(), &[]).await?.expect(200)?;
        for function in ["create-order", "get-order", "list-orders", "list-products", "get-product"] {
            let calls = service
                .cloud
                .meter()
                .sum(|entry| entry.caller == function && is_of_accounts(&entry.resource));
            ensure!(calls.calls == 0, "{function} asked accounts {} times", calls.calls);
        }
        Ok(())
    })
}

fn is_of_accounts(resource: &str) -> bool {
    ["Users", "Sessions"].iter().any(|table| resource.contains(table))
}
