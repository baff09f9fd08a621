//! The audit trail: every route that changes something leaves a line that says who did what, and so does every
//! refusal. In a process of its own, since a process has one log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Lines, Published, Service, simulate};
use shop_local::cloud::Options;

/// The lines of the trail.
fn trail(lines: &Lines) -> Result<Vec<Value>> {
    let log = lines.text()?;
    let lines = log.lines().map(serde_json::from_str::<Value>);
    Ok(lines
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|line| line["target"] == "shop_audit")
        .collect())
}

/// The body that a route's request has here; none where any will do.
fn body(route: &str) -> Value {
    match route {
        "POST /orders" => json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] }),
        "POST /imports" | "POST /exports" => json!({ "format": "csv" }),
        "POST /monitor/redrives" | "POST /monitor/discards" => {
            json!({ "consumer": "settle-order", "reason": "It is mended" })
        }
        "PATCH /monitor/redrives/{id}" => json!({ "status": "paused" }),
        "POST /products" => json!({ "name": "Another", "price": 1 }),
        "PATCH /products/{id}" => json!({ "price": 2 }),
        "PATCH /products/{id}/stock" => json!({ "stock": 7 }),
        "PUT /users/{id}/role" => json!({ "role": "admin" }),
        "PATCH /users/{id}" => json!({ "name": "Another name" }),
        _ => json!({}),
    }
}

/// The metrics of the template that count lines of the trail, each with what its lines say.
const METRICS: [(&str, [(&str, &str); 2]); 3] = [
    ("RoleChangesMetric", [("audit.act", "set-user-role"), ("audit.outcome", "done")]),
    ("AdministratorsMadeMetric", [("audit.act", "create-admin"), ("audit.outcome", "done")]),
    ("RefusedAttemptsMetric", [("audit.outcome", "refused"), ("audit.code", "too_many_attempts")]),
];

/// The words that a metric's filter asks for: each in quotation marks, and a line must have them all
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).
fn pattern(metric: &str) -> Result<Vec<String>> {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))?;
    let (_, metric) = template.split_once(&format!("  {metric}:\n")).context("the metric")?;
    let (_, pattern) = metric.split_once("FilterPattern: '").context("its pattern")?;
    let (pattern, _) = pattern.split_once('\'').context("its end")?;
    Ok(pattern.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// What somebody has typed into a path is noted where it is an id, and nowhere else.
async fn what_is_typed_is_not_noted(
    service: &Service,
    lines: &Lines,
    administrator: &Account,
    customer: &Account,
) -> Result<()> {
    for typed in ["maria@example.com", "Maria", "aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0b2tlbg"] {
        for (method, path) in [("DELETE", "/users/"), ("GET", "/users/"), ("DELETE", "/orders/")] {
            let (method, path): (Method, _) = (method.parse()?, format!("{path}{typed}"));
            service.send_as(administrator, method.clone(), &path, None).await?;
            service.request(method, &path, Bytes::new(), &[]).await?;
        }
        let path = format!("/products/{typed}");
        service.request(Method::DELETE, &path, Bytes::new(), &[]).await?.expect(401)?;
        ensure!(!lines.text()?.contains(typed), "the log has {typed}");
    }
    let path = format!("/users/{}", customer.id);
    service.request(Method::DELETE, &path, Bytes::new(), &[]).await?.expect(401)?;
    let refused = trail(lines)?.pop().context("a line")?;
    ensure!(refused["audit.subject"] == *customer.id && refused["http.status"] == 401, "{refused}");
    Ok(())
}

#[test]
fn every_route_that_changes_something_leaves_a_line_and_so_does_every_refusal() -> Result<()> {
    let lines = Lines::default();
    let subscriber = shop_lambda::log::subscriber(tracing::Level::INFO, lines.clone());
    tracing::subscriber::set_global_default(subscriber)?;
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        let customer = service.customer("customer@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        let send = async |method: &str, path: &str, body: &Value| {
            service.send_as(&administrator, method.parse()?, path, Some(body)).await
        };
        send("POST", "/products", &product).await?.expect(201)?;
        let deputy = service.customer("deputy@example.com").await?;
        let role = format!("/users/{}/role", deputy.id);
        send("PUT", &role, &json!({ "role": "admin" })).await?.expect(200)?;

        let routes = service.cloud.routes().to_vec();
        let mut ids = BTreeMap::new();
        for route in routes.iter().filter(|route| route.path != "$default") {
            let key = format!("{} {}", route.method, route.path);
            let id = if route.path.starts_with("/products") { "prod-1" } else { customer.id.as_str() };
            let answer = send(&route.method, &route.path.replace("{id}", id), &body(&key)).await?;
            let id = answer.header("x-request-id")?.to_owned();
            ids.insert(id, (route.method.clone(), route.function.clone(), answer.status));
        }
        // Everybody who is refused, whatever was asked for.
        for (path, status) in [("/users", 403), ("/users/me/role", 403)] {
            let method = if path == "/users" { Method::GET } else { Method::PUT };
            let answer =
                service.send_as(&customer, method.clone(), path, Some(&json!({}))).await?.expect(status)?;
            let function = if path == "/users" { "list-users" } else { "set-user-role" };
            ids.insert(
                answer.header("x-request-id")?.to_owned(),
                (String::new(), function.to_owned(), status),
            );
        }
        let answer = service.raw(&Method::GET, "/orders", "Bearer x").await?.expect(401)?;
        ids.insert(answer.header("x-request-id")?.to_owned(), (String::new(), "list-orders".to_owned(), 401));

        what_is_typed_is_not_noted(&service, &lines, &administrator, &customer).await?;

        // Guesses, until one is not taken any more.
        let guess = json!({ "email": "deputy@example.com", "password": "a guess of somebody's" });
        let mut guessed = service.post("/sessions", &guess).await?;
        for _ in 0..100 {
            if guessed.status == 429 {
                break;
            }
            guessed = service.post("/sessions", &guess).await?;
        }
        guessed.problem(429, "too_many_attempts")?;

        let mut acts = BTreeSet::new();
        let trail = trail(&lines)?;
        for (id, (method, function, status)) in &ids {
            let mut found = trail.iter().filter(|line| line["request.id"] == **id);
            let line = found.next();
            ensure!(found.next().is_none(), "two lines of one request: {function}");
            if matches!(method.as_str(), "GET" | "HEAD") && !matches!(status, 401 | 403 | 429) {
                ensure!(line.is_none(), "a read left a line: {line:?}");
                continue;
            }
            let line = line.with_context(|| format!("{method} of {function} ({status}) left no line"))?;
            ensure!(line["audit.act"] == **function && line["http.status"] == *status, "{line}");
            let outcome = match status {
                401 | 403 | 429 => "refused",
                200..300 => "done",
                _ => "invalid",
            };
            ensure!(line["audit.outcome"] == outcome, "{line}");
            let actor = line["audit.actor"].as_str().context("an actor")?;
            let expected: &[&str] = match status {
                403 => &[&customer.id, &administrator.id],
                401 => &["unknown", &administrator.id],
                _ => &[&administrator.id],
            };
            ensure!(expected.contains(&actor), "{line}");
            acts.insert(function.clone());
        }
        let changing: BTreeSet<_> = routes
            .iter()
            .filter(|route| !matches!(route.method.as_str(), "GET" | "HEAD" | "ANY"))
            .map(|route| route.function.clone())
            .collect();
        ensure!(acts.is_superset(&changing), "no line of {:?}", changing.difference(&acts));

        // What was made, and of what: by its id.
        let made = trail.iter().find(|line| line["audit.act"] == "create-product").context("a product")?;
        ensure!(made["audit.subject"] == "prod-1" && made["audit.outcome"] == "done", "{made}");
        for (metric, says) in METRICS {
            let pattern = pattern(metric)?;
            let log = lines.text()?;
            let counted = log.lines().filter(|line| pattern.iter().all(|word| line.contains(word))).count();
            let meant =
                trail.iter().filter(|line| says.iter().all(|(field, value)| line[*field] == *value)).count();
            ensure!(meant > 0 && counted == meant, "{metric} counts {counted} lines, not {meant}");
        }
        let stocked = trail.iter().find(|line| line["audit.act"] == "set-stock").context("a stock")?;
        ensure!(stocked["audit.subject"] == "prod-1", "{stocked}");
        Ok(())
    })
}

#[test]
fn every_event_says_who_made_the_request_that_led_to_it() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let options = Options { observers: vec![Arc::clone(&published) as _], ..Options::simulated(2) };
        let service = Service::start(&services::functions(), options).await?;
        let administrator = service.new_administrator("admin@example.com").await?;
        let customer = service.customer("customer@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&administrator, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
        service.send_as(&customer, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
        service.post("/orders", &order).await?.expect(201)?;
        service.settled().await?;
        let events = published.events()?;
        ensure!(!events.is_empty(), "no event was published");
        for event in &events {
            let actor = event["actor"].as_str().with_context(|| format!("no actor: {event}"))?;
            let of_customer =
                event["data"]["customer_id"] == *customer.id || event["data"]["user_id"] == *customer.id;
            let expected = match event["type"].as_str().unwrap_or_default() {
                kind if kind.starts_with("product.") => administrator.id.as_str(),
                _ if of_customer && event["type"] != "user.registered" => customer.id.as_str(),
                kind if kind.starts_with("order.") => "guest",
                _ => actor,
            };
            ensure!(actor == expected, "{expected} is not the actor of {event}");
        }
        for actor in [administrator.id.as_str(), customer.id.as_str(), "guest", "create-admin"] {
            ensure!(events.iter().any(|event| event["actor"] == *actor), "no event by {actor}");
        }
        Ok(())
    })
}
