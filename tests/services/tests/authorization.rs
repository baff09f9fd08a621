//! The matrix: every route, asked by everybody. A route that is missing here fails the test.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

/// Of letters that there are none of.
fn redrive() -> Value {
    json!({ "consumer": "settle-order", "reason": "It is mended" })
}

/// Who asks, in the order of the columns.
const CALLERS: [&str; 5] = ["guest", "owner", "other customer", "administrator", "broken token"];

/// What each of them is answered with: of the owner's thing where the route is about one.
const MATRIX: &[(&str, [u16; 5])] = &[
    ("GET /.well-known/jwks.json", [200, 200, 200, 200, 401]),
    ("GET /docs", [200, 200, 200, 200, 200]),
    ("GET /health", [200, 200, 200, 200, 200]),
    ("GET /openapi.json", [200, 200, 200, 200, 200]),
    ("GET /orders", [401, 200, 200, 200, 401]),
    ("POST /orders", [201, 201, 201, 201, 401]),
    ("GET /orders/{id}", [401, 200, 404, 200, 401]),
    ("GET /orders/{id} of a guest", [401, 404, 404, 200, 401]),
    ("GET /orders/{id} of a guest by its token", [200, 200, 200, 200, 401]),
    ("GET /orders?customer_id= of the owner", [401, 200, 403, 200, 401]),
    ("GET /orders?status=pending", [401, 403, 403, 200, 401]),
    ("POST /orders/{id}/cancel", [401, 200, 404, 200, 401]),
    ("POST /orders/{id}/cancel of a guest", [401, 404, 404, 200, 401]),
    ("POST /orders/{id}/cancel of a guest by its token", [200, 200, 200, 200, 401]),
    ("GET /products", [200, 200, 200, 200, 401]),
    ("GET /search?q=mug", [200, 200, 200, 200, 401]),
    ("GET /search/suggestions?q=mug", [200, 200, 200, 200, 401]),
    ("PATCH /orders/{id}/status", [401, 403, 403, 200, 401]),
    ("POST /products", [401, 403, 403, 201, 401]),
    ("GET /products/{id}", [200, 200, 200, 200, 401]),
    ("PATCH /products/{id}", [401, 403, 403, 200, 401]),
    ("DELETE /products/{id}", [401, 403, 403, 204, 401]),
    ("GET /products/{id}/stock", [401, 403, 403, 200, 401]),
    ("PATCH /products/{id}/stock", [401, 403, 403, 200, 401]),
    ("GET /users", [401, 403, 403, 200, 401]),
    ("POST /users", [201, 201, 201, 201, 401]),
    ("GET /users/{id}", [401, 200, 404, 200, 401]),
    ("PATCH /users/{id}", [401, 200, 404, 403, 401]),
    ("DELETE /users/{id}", [401, 204, 404, 204, 401]),
    ("PUT /users/{id}/role", [401, 403, 403, 200, 401]),
    ("GET /users/{id}/stats", [401, 200, 404, 200, 401]),
    ("POST /users/{id}/email-confirmation", [401, 202, 404, 403, 401]),
    ("POST /email-confirmations", [204, 204, 204, 204, 401]),
    ("POST /password-resets", [202, 202, 202, 202, 401]),
    ("POST /password-resets/complete", [204, 204, 204, 204, 401]),
    ("POST /sessions", [201, 201, 201, 201, 401]),
    ("POST /sessions/refresh", [200, 200, 200, 200, 401]),
    ("DELETE /sessions/current", [401, 204, 204, 204, 401]),
    ("GET /emails", [401, 403, 403, 200, 401]),
    ("GET /emails/{id}", [401, 403, 403, 404, 401]),
    ("GET /alerts", [401, 403, 403, 200, 401]),
    ("GET /analytics/sales", [401, 403, 403, 200, 401]),
    ("GET /analytics/products", [401, 403, 403, 200, 401]),
    ("GET /monitor/events", [401, 403, 403, 200, 401]),
    ("GET /monitor/stories/{id}", [401, 403, 403, 200, 401]),
    ("GET /monitor/queues", [401, 403, 403, 200, 401]),
    ("GET /monitor/settings", [401, 403, 403, 200, 401]),
    ("POST /imports", [401, 403, 403, 201, 401]),
    ("POST /imports/{id}/start", [401, 403, 403, 202, 401]),
    ("POST /exports", [401, 403, 403, 201, 401]),
    ("GET /exports/{id}", [401, 403, 403, 200, 401]),
    ("GET /imports/{id}", [401, 403, 403, 200, 401]),
    ("GET /imports/{id}/refusals", [401, 403, 403, 200, 401]),
    ("GET /monitor/dead-letters", [401, 403, 403, 200, 401]),
    ("GET /monitor/dead-letters/{id}", [401, 403, 403, 200, 401]),
    ("GET /monitor/queues/{id}/dead-letters", [401, 403, 403, 200, 401]),
    ("POST /monitor/redrives", [401, 403, 403, 202, 401]),
    ("POST /monitor/discards", [401, 403, 403, 202, 401]),
    ("GET /monitor/redrives/{id}", [401, 403, 403, 200, 401]),
    ("PATCH /monitor/redrives/{id}", [401, 403, 403, 409, 401]),
];

struct Stage {
    service: Service,
    other: Account,
    administrator: Account,
    names: std::cell::Cell<u32>,
}

impl Stage {
    async fn new() -> Result<Self> {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        let other = service.customer("other@example.com").await?;
        Ok(Self { service, other, administrator, names: std::cell::Cell::new(0) })
    }

    fn unique(&self, prefix: &str) -> String {
        self.names.set(self.names.get() + 1);
        format!("{prefix}-{}", self.names.get())
    }

    async fn product(&self) -> Result<String> {
        let id = self.unique("product");
        let body = json!({ "id": id, "name": "A test's product", "price": 3, "stock": 5 });
        self.service
            .send_as(&self.administrator, Method::POST, "/products", Some(&body))
            .await?
            .expect(201)?;
        Ok(id)
    }

    /// A redrive that is done.
    async fn redrive(&self) -> Result<String> {
        let (who, path) = (&self.administrator, "/monitor/redrives");
        let id = self.service.new_redrive_as(who, path, &redrive()).await?;
        self.service.settled().await?;
        Ok(id)
    }

    /// An import whose file was put.
    async fn import(&self) -> Result<String> {
        let import = self.service.new_import_as(&self.administrator, "csv").await?;
        self.service.upload(&import, "name,price\nMug,1\n").await?;
        Ok(import["id"].as_str().context("an id")?.to_owned())
    }

    /// An order's id, and its token where it is a guest's.
    async fn order(&self, buyer: Option<&Account>) -> Result<(String, Option<String>)> {
        let body = json!({ "items": [{ "product_id": self.product().await?, "quantity": 1 }] });
        let answer = match buyer {
            Some(buyer) => self.service.send_as(buyer, Method::POST, "/orders", Some(&body)).await?,
            None => self.service.post("/orders", &body).await?,
        };
        let answer = answer.expect(201)?;
        let token = answer.body["order_token"].as_str().map(str::to_owned);
        Ok((answer.body["id"].as_str().context("an id")?.to_owned(), token))
    }

    /// The path, the body and the order's token of a cell's request, about something of the owner's.
    async fn request(
        &self,
        row: &str,
        owner: &Account,
    ) -> Result<(Method, String, Option<Value>, Option<String>)> {
        let (row, by_token) = match row.strip_suffix(" by its token") {
            Some(row) => (row, true),
            None => (row, false),
        };
        let (route, guests) = match row.strip_suffix(" of a guest") {
            Some(route) => (route, true),
            None => (row, false),
        };
        let mut order_token = None;
        let (method, path) = route.split_once(' ').context(row.to_owned())?;
        let mut path = path.replace("?customer_id= of the owner", &format!("?customer_id={}", owner.id));
        if path.contains("{id}") {
            let id = match path.split('/').nth(1) {
                Some("orders") => {
                    let (id, token) = self.order(if guests { None } else { Some(owner) }).await?;
                    order_token = token.filter(|_| by_token);
                    id
                }
                Some("products") => self.product().await?,
                Some("monitor") if path.contains("dead-letters/") => {
                    self.service.new_dead_letter_as(&self.administrator).await?
                }
                Some("monitor") if path.contains("queues") => "settle-order".to_owned(),
                Some("monitor") if path.contains("redrives") => self.redrive().await?,
                Some("monitor") => {
                    let product = self.product().await?;
                    // The journal follows within moments.
                    self.service.settled().await?;
                    product
                }
                Some("imports") => self.import().await?,
                Some("exports") => self.service.new_export_as(&self.administrator, "csv").await?,
                _ => owner.id.clone(),
            };
            path = path.replace("{id}", &id);
        }
        let body = match route {
            "POST /orders" => {
                Some(json!({ "items": [{ "product_id": self.product().await?, "quantity": 1 }] }))
            }
            "PATCH /orders/{id}/status" => Some(json!({ "status": "cancelled" })),
            "POST /products" => {
                Some(json!({ "id": self.unique("product"), "name": "A product", "price": 1 }))
            }
            "PATCH /products/{id}" => Some(json!({ "price": 2 })),
            "PATCH /products/{id}/stock" => Some(json!({ "stock": 7 })),
            "POST /imports" | "POST /exports" => Some(json!({ "format": "csv" })),
            "POST /monitor/redrives" | "POST /monitor/discards" => Some(redrive()),
            "PATCH /monitor/redrives/{id}" => Some(json!({ "status": "paused" })),
            "POST /users" => {
                let email = format!("{}@example.com", self.unique("new"));
                Some(json!({ "email": email, "password": PASSWORD, "name": "A new one" }))
            }
            "PATCH /users/{id}" => Some(json!({ "name": "Another name" })),
            "DELETE /users/{id}" => Some(json!({ "current_password": PASSWORD })),
            "PUT /users/{id}/role" => Some(json!({ "role": "admin" })),
            "POST /sessions" => Some(json!({ "email": owner.email, "password": PASSWORD })),
            "POST /email-confirmations" => {
                let token = self.service.confirmation_token(owner, self.service.now()?).await?;
                Some(json!({ "token": token }))
            }
            "POST /password-resets" => Some(json!({ "email": owner.email })),
            "POST /password-resets/complete" => {
                let asked = json!({ "email": owner.email });
                self.service.post("/password-resets", &asked).await?.expect(202)?;
                let token = self.service.reset_token(owner).await?;
                Some(json!({ "token": token, "password": "another correct horse battery" }))
            }
            "POST /sessions/refresh" => Some(json!({ "refresh_token": owner.refresh })),
            _ => None,
        };
        Ok((method.parse()?, path, body, order_token))
    }

    async fn ask(&self, row: &str, caller: &str) -> Result<Answer> {
        let owner = self.service.customer(&format!("{}@example.com", self.unique("owner"))).await?;
        let (method, path, body, order_token) = self.request(row, &owner).await?;
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let account = match caller {
            "guest" => None,
            "other customer" => Some(&self.other),
            "administrator" => Some(&self.administrator),
            _ => Some(&owner),
        };
        let token = match account {
            // It ends the session: the rows after it need theirs.
            Some(account) if row == "DELETE /sessions/current" => {
                Some(self.service.log_in(&account.email).await?.access)
            }
            account => account.map(|account| account.access.clone()),
        };
        let token = token.map(|token| if caller == "broken token" { format!("{token}x") } else { token });
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(token.as_deref().map(|token| ("authorization", token)));
        headers.extend(order_token.as_deref().map(|token| ("order-token", token)));
        self.service.request(method, &path, body, &headers).await
    }
}

/// The route of a row, as the template has it.
fn route(row: &str) -> String {
    row.split(['?']).next().unwrap_or_default().replace(" of a guest", "").replace(" by its token", "")
}

#[test]
fn everybody_may_do_what_the_table_says_and_no_more() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        // HEAD is GET without its content, and $default asks for nobody.
        let routes = stage.service.cloud.routes().iter();
        let routes = routes.filter(|route| !matches!(route.method.as_str(), "HEAD" | "ANY"));
        let there: BTreeSet<_> = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
        let tested: BTreeSet<_> = MATRIX.iter().map(|(row, _)| route(row)).collect();
        assert_eq!(tested, there, "the table has every route of the template, and no other");
        let mut wrong = Vec::new();
        for (row, expected) in MATRIX {
            for (caller, status) in CALLERS.iter().zip(expected) {
                let answer = stage.ask(row, caller).await.with_context(|| format!("{row} by {caller}"))?;
                if answer.status != *status {
                    wrong.push(format!(
                        "{row} by {caller}: {} instead of {status}: {}",
                        answer.status, answer.text
                    ));
                }
                if matches!(status, 401 | 403 | 404) {
                    ensure!(
                        answer.header("content-type")? == "application/problem+json",
                        "{row} by {caller}"
                    );
                    ensure!(
                        answer.headers.contains_key("www-authenticate") == (*status == 401),
                        "{row} by {caller}"
                    );
                }
            }
        }
        let cells = MATRIX.len() * CALLERS.len();
        assert!(wrong.is_empty(), "{} of {cells} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
        tell(cells);
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "how much was tested is what the test is asked for")]
fn tell(cells: usize) {
    println!("{cells} cells of the authorization matrix hold");
}

#[test]
fn a_guest_s_address_is_in_no_answer() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let item = json!({ "product_id": stage.product().await?, "quantity": 1 });
        let body = json!({ "items": [item], "email": "marked.guest@example.com" });
        let placed = stage.service.post("/orders", &body).await?.expect(201)?;
        let path = format!("/orders/{}", placed.body["id"].as_str().context("an id")?);
        let token = [("order-token", placed.body["order_token"].as_str().context("a token")?)];
        let read = stage.service.request(Method::GET, &path, Bytes::new(), &token).await?.expect(200)?;
        let admins =
            stage.service.send_as(&stage.administrator, Method::GET, &path, None).await?.expect(200)?;
        for answer in [placed, read, admins] {
            assert!(!answer.text.contains("marked"), "{}", answer.text);
            assert!(answer.body.get("customer_id").is_none() && answer.body.get("email").is_none());
        }
        let user = stage.service.send_as(&stage.other, Method::POST, "/orders", Some(&body)).await?;
        assert_eq!(user.problem(422, "invalid_request")?.pointers(), ["/email"]);
        Ok(())
    })
}

#[test]
fn the_books_balance_when_a_user_is_deleted_while_orders_are_under_way() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let service = &stage.service;
        let ada = service.customer("ada@example.com").await?;
        let product = stage.product().await?;
        let order = json!({ "items": [{ "product_id": product, "quantity": 1 }] });
        let mut placed = Vec::new();
        for _ in 0..7 {
            let answer = service.send_as(&ada, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
            placed.push(answer.body["id"].as_str().context("an id")?.to_owned());
        }
        service.leave(&ada).await?.expect(204)?;
        service.settled().await?;
        let get = async |path: String| -> Result<Value> {
            Ok(service.send_as(&stage.administrator, Method::GET, &path, None).await?.expect(200)?.body)
        };
        // Five were there, so five are confirmed, and nothing of the stock is lost or made up.
        let mut confirmed = 0;
        for id in &placed {
            let order = get(format!("/orders/{id}")).await?;
            assert_eq!(order["customer_id"], *ada.id, "the id stays, and names nobody");
            confirmed += u32::from(order["status"] == "confirmed");
        }
        assert_eq!(confirmed, 5);
        assert_eq!(get(format!("/products/{product}")).await?["stock"], 0);
        let stats = get(format!("/users/{}/stats", ada.id)).await?;
        assert_eq!((&stats["orders_placed"], &stats["amount_spent"][0]["amount"]), (&json!(5), &json!(15.0)));
        service
            .send_as(&stage.administrator, Method::GET, &format!("/users/{}", ada.id), None)
            .await?
            .expect(404)?;
        Ok(())
    })
}

/// What becomes of a log-in's deletion by a function's own role: nothing, or the error's code.
async fn delete_as(service: &Service, function: &str, pk: &str, sk: &str) -> Option<String> {
    let client = Client::new(&service.cloud.sdk_config(function));
    let key = |text: &str| AttributeValue::S(text.to_owned());
    let delete = client.delete_item().table_name("SessionsTable").key("pk", key(pk)).key("sk", key(sk));
    delete.send().await.err().and_then(|error| error.code().map(str::to_owned))
}

#[test]
fn what_ends_sessions_reaches_no_log_in() -> Result<()> {
    simulate(async {
        let service = Service::start(&users::SERVICE.functions(), Options::simulated(3)).await?;
        service.customer("ada@example.com").await?;
        let mut ended = 0;
        for item in service.items("SessionsTable").await? {
            let text = |name: &str| item[name].as_s().map_err(|_| anyhow!("{name} is no text"));
            let (pk, sk) = (text("pk")?, text("sk")?);
            for function in ["delete-session", "refresh-session"] {
                let refused = delete_as(&service, function, pk, sk).await;
                let expected = (!pk.starts_with("usr_")).then_some("AccessDeniedException");
                assert_eq!(refused.as_deref(), expected, "{function}: {pk}");
                ended += usize::from(refused.is_none());
            }
        }
        assert_eq!(ended, 2, "one session, ended by each of them");
        service.log_in("ada@example.com").await?;
        Ok(())
    })
}
