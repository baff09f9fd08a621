//! The catalogue in lists: by category and order, page by page; keys of administrators; and stock that is read.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Service, simulate};
use shop_local::cloud::Options;

async fn service() -> Result<Service> {
    Service::start(&products::SERVICE.functions(), Options::simulated(1)).await
}

async fn get(service: &Service, path: &str) -> Result<Answer> {
    service.request(Method::GET, path, Bytes::new(), &[]).await
}

/// All ids of a list, by the links from page to page, and how many pages there were.
async fn walk(service: &Service, list: &str, limit: usize) -> Result<(Vec<String>, usize)> {
    let separator = if list.contains('?') { '&' } else { '?' };
    let (mut path, mut ids, mut pages) = (format!("{list}{separator}limit={limit}"), Vec::new(), 0);
    loop {
        let page = get(service, &path).await?.expect(200)?;
        pages += 1;
        let data = page.body["data"].as_array().context("data")?;
        ids.extend(data.iter().filter_map(|product| product["id"].as_str().map(str::to_owned)));
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok((ids, pages)) };
        let link = page.header("link")?;
        link.strip_prefix('<')
            .and_then(|link| link.split_once('>'))
            .context("a link")?
            .0
            .clone_into(&mut path);
        ensure!(path.contains(cursor) && pages < 50, "{link}");
    }
}

async fn six(service: &Service) -> Result<()> {
    for (id, name, price, category) in [
        ("a", "kettle", "9.50", Some("Kitchen & Bath")),
        ("b", "Mug", "12", Some("Kitchen & Bath")),
        ("c", "mug", "3", Some("küche")),
        ("d", "Apron", "100", None),
        ("e", "Mugwort", "9.50", Some("Kitchen & Bath")),
        ("f", "zest", "0.01", Some("kitchen & bath")),
    ] {
        let price: Value = serde_json::from_str(price)?;
        let body = json!({ "id": id, "name": name, "price": price, "category": category });
        service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        service.pass(std::time::Duration::from_secs(1)).await;
    }
    Ok(())
}

#[test]
fn lists_are_filtered_and_sorted_whatever_the_size_of_their_pages() -> Result<()> {
    simulate(async {
        let service = service().await?;
        six(&service).await?;
        for (list, expected) in [
            ("/products", "fedcba"),
            ("/products?sort=newest", "fedcba"),
            ("/products?sort=name", "dabcef"),
            ("/products?sort=price", "fcaebd"),
            ("/products?sort=-price", "dbeacf"),
            ("/products?category=Kitchen+%26+Bath", "eba"),
            ("/products?category=Kitchen%20%26%20Bath&sort=name", "abe"),
            ("/products?sort=price&category=Kitchen+%26+Bath", "aeb"),
            ("/products?sort=-price&category=Kitchen+%26+Bath", "bea"),
            ("/products?category=k%C3%BCche", "c"),
            ("/products?category=none", ""),
        ] {
            for limit in [1, 2, 3, 6, 100] {
                let (ids, pages) = walk(&service, list, limit).await?;
                assert_eq!((ids.concat().as_str(), list), (expected, list), "by {limit}");
                assert_eq!(pages, expected.len().div_ceil(limit).max(1), "{list} by {limit}");
            }
        }
        // What changes changes its place; what is deleted has none.
        let change = json!({ "name": "A mug", "price": 200, "category": "küche" });
        service.send(Method::PATCH, "/products/b", Some(&change)).await?.expect(200)?;
        service.send(Method::DELETE, "/products/e", None).await?.expect(204)?;
        service.pass(std::time::Duration::from_secs(1)).await;
        for (list, expected) in [
            ("/products?sort=name", "bdacf"),
            ("/products?sort=-price", "bdacf"),
            ("/products?category=Kitchen+%26+Bath&sort=name", "a"),
            ("/products?category=k%C3%BCche&sort=price", "cb"),
            ("/products?category=k%C3%BCche", "cb"),
        ] {
            assert_eq!(walk(&service, list, 2).await?.0.concat(), expected, "{list}");
        }
        for (query, pointer) in [
            ("sort=", "?sort"),
            ("sort=Name", "?sort"),
            ("sort=stock", "?sort"),
            ("category=", "?category"),
            ("category=%20", "?category"),
            ("category=%C2%A0%20", "?category"),
            ("colour=red", "?colour"),
        ] {
            let refused =
                get(&service, &format!("/products?{query}")).await?.problem(400, "invalid_query")?;
            assert_eq!(refused.pointers(), [pointer]);
        }
        Ok(())
    })
}

#[test]
fn a_cursor_of_a_list_is_good_for_no_other_and_none_that_is_made_up_fails_us() -> Result<()> {
    simulate(async {
        let service = service().await?;
        six(&service).await?;
        let lists = [
            "/products?limit=1",
            "/products?limit=1&sort=name",
            "/products?limit=1&sort=price",
            "/products?limit=1&sort=-price",
            "/products?limit=1&category=Kitchen+%26+Bath",
            "/products?limit=1&category=Kitchen+%26+Bath&sort=name",
        ];
        let mut cursors = Vec::new();
        for list in lists {
            let page = get(&service, list).await?.expect(200)?;
            cursors.push(page.body["next_cursor"].as_str().context("a cursor")?.to_owned());
        }
        for (to, list) in lists.iter().enumerate() {
            for (from, cursor) in cursors.iter().enumerate() {
                let answer = get(&service, &format!("{list}&cursor={cursor}")).await?;
                if from == to {
                    answer.expect(200)?;
                } else {
                    assert_eq!(answer.problem(400, "invalid_query")?.pointers(), ["?cursor"]);
                }
            }
        }
        let sorts = ["newest", "name", "price", "-price"];
        for (sort, cursor) in sorts.iter().zip(&cursors) {
            let mut real: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(cursor.as_bytes())?)?;
            let keys = [
                "",
                "a",
                "\u{1}",
                "\u{0}",
                "1970-01-01T00:00:00.000Z#a",
                "9999-12-31T23:59:59.999Z#a",
                "99999999999999#a",
                "a\u{1}a",
                "USD#000000000000000#a",
                "ZZZ#999999999999999#a",
                "ä\u{1}a",
                &"x".repeat(300),
            ];
            for key in keys {
                for id in ["a", "none", "../x", ""] {
                    real["p"] = json!({ "k": key, "i": id });
                    let cursor = BASE64URL_NOPAD.encode(real.to_string().as_bytes());
                    let answer = get(&service, &format!("/products?sort={sort}&cursor={cursor}")).await?;
                    answer.expect_any(&[200, 400]).with_context(|| format!("{key:?} {id}"))?;
                }
            }
        }
        Ok(())
    })
}

#[test]
fn the_catalogue_is_cached_for_guests_and_for_nobody_with_a_token() -> Result<()> {
    simulate(async {
        let service = service().await?;
        six(&service).await?;
        for path in ["/products", "/products/a", "/products?sort=name"] {
            let guest = get(&service, path).await?.expect(200)?;
            ensure!(guest.header("cache-control")?.starts_with("public, max-age="), "{guest:?}");
            let own = service.send(Method::GET, path, None).await?.expect(200)?;
            assert_eq!(own.header("cache-control")?, "private, no-cache");
            for answer in [&guest, &own] {
                assert_eq!(answer.header("vary")?, "Authorization");
            }
        }
        let tag = get(&service, "/products/a").await?.header("etag")?.to_owned();
        let same = [("if-none-match", tag.as_str())];
        let own = service.send_with(Method::GET, "/products/a", None, &same).await?.expect(304)?;
        assert_eq!(
            (own.header("cache-control")?, own.header("vary")?),
            ("private, no-cache", "Authorization")
        );
        Ok(())
    })
}

/// A request of the administrator with this number.
async fn as_administrator(
    service: &Service,
    number: u8,
    method: Method,
    path: &str,
    body: &Value,
    key: &str,
) -> Result<Answer> {
    let token = service.other_administrator(number).await?;
    let headers =
        [("authorization", token.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
    service.request(method, path, Bytes::from(body.to_string()), &headers).await
}

#[test]
fn a_key_stands_for_one_product_whatever_is_sent_under_it() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let post = async |number, id: Option<&str>, name: &str, key: &str| {
            let mut body = json!({ "name": name, "price": 1 });
            if let Some(id) = id {
                body["id"] = id.into();
            }
            as_administrator(&service, number, Method::POST, "/products", &body, key).await
        };
        let first = post(1, Some("a"), "A", "k1").await?.expect(201)?;
        ensure!(!first.headers.contains_key("idempotent-replayed"));
        let again = post(1, Some("a"), "A", "k1").await?.expect(201)?;
        assert_eq!((again.header("idempotent-replayed")?, &again.body), ("true", &first.body));
        for (id, name) in [(Some("b"), "A"), (Some("a"), "B"), (None, "A"), (None, "B")] {
            post(1, id, name, "k1").await?.problem(422, "idempotency_key_reused")?;
        }
        get(&service, "/products/b").await?.problem(404, "not_found")?;
        // Another administrator's key is another key; another key for a taken id is no way around it.
        post(2, Some("b"), "B", "k1").await?.expect(201)?;
        post(1, Some("b"), "C", "k2").await?.problem(409, "id_taken")?;
        post(1, Some("c"), "C", "k2").await?.expect(201)?;
        // A key that was sent along with a repeat is used by it.
        post(1, Some("c"), "C", "k3").await?.expect(201)?.header("idempotent-replayed")?;
        post(1, Some("d"), "D", "k3").await?.problem(422, "idempotency_key_reused")?;
        // Without an id of the client's.
        let made = post(1, None, "E", "k4").await?.expect(201)?;
        let again = post(1, None, "E", "k4").await?.expect(201)?;
        assert_eq!((again.header("idempotent-replayed")?, &again.body), ("true", &made.body));
        post(1, Some("e"), "E", "k4").await?.problem(422, "idempotency_key_reused")?;
        // A deleted product comes back under no key.
        let path = format!("/products/{}", made.body["id"].as_str().context("an id")?);
        service.send(Method::DELETE, &path, None).await?.expect(204)?;
        post(1, None, "E", "k4").await?.problem(422, "idempotency_key_reused")?;
        assert_eq!(walk(&service, "/products", 100).await?.0.len(), 3);
        Ok(())
    })
}

#[test]
fn many_at_once_under_one_key_are_one_product() -> Result<()> {
    simulate(async {
        for seed in 0..8 {
            let service = Service::start(&products::SERVICE.functions(), Options::simulated(seed)).await?;
            let body = |n: usize| json!({ "id": format!("p{n}"), "name": "A", "price": 1 });
            let bodies: Vec<_> = (0..8).map(|n| body(n % 4)).collect();
            let tries =
                bodies.iter().map(|body| as_administrator(&service, 1, Method::POST, "/products", body, "k"));
            let answers = futures::future::try_join_all(tries).await?;
            let mut made: BTreeMap<String, u32> = BTreeMap::new();
            for answer in &answers {
                match answer.status {
                    201 => *made.entry(answer.body["id"].to_string()).or_default() += 1,
                    422 | 503 => {}
                    _ => anyhow::bail!("seed {seed}: {}", answer.text),
                }
            }
            ensure!(made.len() == 1, "seed {seed}: {made:?}");
            service.pass(std::time::Duration::from_secs(1)).await;
            assert_eq!(walk(&service, "/products", 100).await?.0.len(), 1, "seed {seed}");
        }
        Ok(())
    })
}

#[test]
fn a_key_of_a_stock_change_belongs_to_its_administrator_and_is_one_change() -> Result<()> {
    simulate(async {
        let service = service().await?;
        for id in ["a", "b"] {
            let body = json!({ "id": id, "name": id, "price": 1, "stock": 10 });
            service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        }
        let change = async |number, id: &str, delta: i64| {
            let path = format!("/products/{id}/stock");
            as_administrator(&service, number, Method::PATCH, &path, &json!({ "delta": delta }), "k").await
        };
        for (number, id, delta, level, replayed) in [
            (1, "a", -1, 9, false),
            (1, "a", -1, 9, true),
            (2, "a", -2, 7, false),
            (2, "a", -2, 7, true),
            (1, "a", -1, 9, true),
        ] {
            let answer = change(number, id, delta).await?.expect(200)?;
            let found = (answer.body["stock"].as_i64(), answer.headers.contains_key("idempotent-replayed"));
            assert_eq!(found, (Some(level), replayed), "{number} {id}");
        }
        change(1, "a", -5).await?.problem(422, "idempotency_key_reused")?;
        change(1, "b", -1).await?.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn stock_is_read_with_what_is_reserved() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let body = json!({ "id": "mug", "name": "Mug", "price": 1, "stock": 10 });
        service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        let order = shop_types::OrderId::derived(b"test", "test", "order");
        let created =
            service_tests::order_event(&order, 1, &[("mug", 4)], shop_events::EventData::OrderCreated)?;
        service.send_events("ReserveStockQueue", &[created]).await?;
        service.settled().await?;
        let read = service.send(Method::GET, "/products/mug/stock", None).await?.expect(200)?;
        assert_eq!((&read.body["stock"], &read.body["reserved"]), (&json!(6), &json!(4)));
        assert_eq!(read.header("cache-control")?, "no-store");
        let tag = read.header("etag")?.to_owned();
        let same = [("if-none-match", tag.as_str())];
        service.send_with(Method::GET, "/products/mug/stock", None, &same).await?.expect(304)?;
        let changed = [("if-match", tag.as_str())];
        let level = json!({ "stock": 1 });
        service.send_with(Method::PATCH, "/products/mug/stock", Some(&level), &changed).await?.expect(200)?;
        service.send_with(Method::GET, "/products/mug/stock", None, &same).await?.expect(200)?;
        get(&service, "/products/mug/stock").await?.problem(401, "unauthorized")?;
        service.send(Method::GET, "/products/cup/stock", None).await?.problem(404, "not_found")?;
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        service.send(Method::GET, "/products/mug/stock", None).await?.problem(404, "not_found")?;
        Ok(())
    })
}

#[test]
fn a_category_is_found_however_its_letters_are_put_together_and_no_product_has_a_longer_one() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let product = json!({ "name": "x", "price": 1, "category": "Cafe\u{301}" });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        service.settled().await?;
        for category in ["Cafe%CC%81", "Caf%C3%A9"] {
            let path = format!("/products?category={category}");
            let page = service.send_as(&admin, Method::GET, &path, None).await?.expect(200)?;
            ensure!(
                page.body["data"].as_array().is_some_and(|data| data.len() == 1),
                "{path}: {}",
                page.text
            );
        }
        for category in ["c".repeat(101), "c".repeat(2049), "a%0Ab".to_owned()] {
            let path = format!("/products?category={category}");
            service.send_as(&admin, Method::GET, &path, None).await?.problem(400, "invalid_query")?;
        }
        let path = "/users?email=a@example.com&limit=9999";
        service.send_as(&admin, Method::GET, path, None).await?.problem(400, "invalid_query")?;
        Ok(())
    })
}
