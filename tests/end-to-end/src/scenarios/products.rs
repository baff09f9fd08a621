//! The catalogue: create, get, list, change, delete, with versions and validators.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// A product with every field is made, read, changed field by field, and deleted.
pub(super) async fn a_product_lives_and_dies(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = shop.unique("e2e");
    let path = format!("/products/{id}");
    let body = json!({
        "id": id, "name": "Lamp", "description": "It shines.\nBrightly.", "price": 12.5, "currency": "EUR",
        "category": "home", "image_url": "https://images.example/lamp.jpg", "stock": 4,
    });
    let made = administrator.post("/products").json(&body).await?.expect(201)?;
    made.has_header("location", &path)?;
    made.has("/version", 1)?;
    made.has_exactly("/price", "12.50")?;
    for field in ["id", "name", "description", "currency", "category", "image_url", "stock"] {
        made.has(&format!("/{field}"), body[field].clone())?;
    }
    made.has("/updated_at", made.at("/created_at")?.clone())?;
    let read = administrator.get(path.clone()).await?.expect(200)?;
    ensure!(read.json == made.json, read.wrong(&format!("not what was made: {}", made.body)));

    let change = json!({"name": "Bright lamp", "price": 13});
    let changed = administrator.patch(path.clone()).json(&change).await?.expect(200)?;
    changed.has("/name", "Bright lamp")?;
    changed.has_exactly("/price", "13.00")?;
    changed.has("/category", "home")?;
    changed.has("/stock", 4)?;
    changed.has("/version", 2)?;
    let cleared = administrator.patch(path.clone()).json(&json!({"description": null})).await?.expect(200)?;
    cleared.has("/description", Value::Null)?;
    cleared.has("/version", 3)?;

    administrator.delete(path.clone()).await?.expect(204)?;
    administrator.get(path.clone()).await?.problem(404, "not_found")?;
    administrator.patch(path.clone()).json(&change).await?.problem(404, "not_found")?;
    administrator.delete(path.clone()).await?.problem(404, "not_found")?;
    let stock = administrator.patch(format!("{path}/stock")).json(&json!({"stock": 1}));
    stock.await?.problem(404, "not_found")?;
    Ok(())
}

/// A product needs a name and a price; the rest has a default.
pub(super) async fn a_product_has_defaults(shop: &Shop) -> Result<()> {
    let body = json!({"name": "Plain", "price": 3});
    let made = shop.administrator()?.post("/products").json(&body).await?.expect(201)?;
    ensure!(
        made.string("/id")?.starts_with("prd_"),
        made.wrong("an id that the shop makes starts with prd_")
    );
    made.has("/currency", "USD")?;
    made.has("/stock", 0)?;
    made.has_exactly("/price", "3.00")
}

/// An id is taken once and for ever; only the very same product may be sent again.
pub(super) async fn an_id_that_is_taken_is_refused(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = shop.unique("e2e");
    let send = |name: &str| {
        administrator.post("/products").json(&json!({"id": id, "name": name, "price": 1, "stock": 7}))
    };
    send("One").await?.expect(201)?;
    send("One").await?.expect(201)?.has_header("idempotent-replayed", "true")?;
    send("Two").await?.problem(409, "id_taken")?.names(&["/id"])?;
    let read = steps::catalogued(shop, &id).await?;
    read.has("/name", "One")?;
    read.has("/version", 1)?;
    administrator.delete(format!("/products/{id}")).await?.expect(204)?;
    send("One").await?.problem(409, "id_taken")?.names(&["/id"])
}

/// One key is one product, however often it is sent; another product under it is refused.
pub(super) async fn a_key_is_one_product(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let key = shop.unique("key");
    let send = |name: &str| {
        administrator
            .post("/products")
            .idempotency_key(&key)
            .json(&json!({"name": name, "price": 2, "stock": 3}))
    };
    let first = send("One").await?.expect(201)?;
    ensure!(
        first.header("idempotent-replayed").is_none(),
        first.wrong("the first try is marked as replayed")
    );
    let again = send("One").await?.expect(201)?;
    again.has_header("idempotent-replayed", "true")?;
    again.has("/id", first.at("/id")?.clone())?;
    send("Two").await?.problem(422, "idempotency_key_reused")?;
    let id = first.string("/id")?;
    steps::catalogued(shop, id).await?.has("/name", "One")?;
    // The key decides, whatever ids the client chooses under it.
    let key = shop.unique("key");
    let (one, two) = (shop.unique("e2e"), shop.unique("e2e"));
    let send = |id: &str| {
        let body = json!({"id": id, "name": "One", "price": 2, "stock": 3});
        administrator.post("/products").idempotency_key(&key).json(&body)
    };
    send(&one).await?.expect(201)?;
    send(&two).await?.problem(422, "idempotency_key_reused")?;
    send(&one).await?.expect(201)?.has_header("idempotent-replayed", "true")?;
    administrator.get(format!("/products/{two}")).await?.problem(404, "not_found")?;
    Ok(())
}

/// A category is listed by name, by price and by age, and so is the whole catalogue.
pub(super) async fn the_catalogue_is_sorted_and_filtered(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let category = shop.unique("Kitchen & Bath");
    let mut ids = Vec::new();
    for (name, price) in [("beta", 5), ("Alpha", 7), ("gamma", 3)] {
        let body = json!({"name": name, "price": price, "category": category});
        ids.push(administrator.post("/products").json(&body).await?.expect(201)?.string("/id")?.to_owned());
    }
    let encoded = category.replace(' ', "%20").replace('&', "%26");
    for (sort, order) in [
        ("", [2, 1, 0]),
        ("&sort=newest", [2, 1, 0]),
        ("&sort=name", [1, 0, 2]),
        ("&sort=price", [2, 0, 1]),
        ("&sort=-price", [1, 0, 2]),
    ] {
        let expected = order.map(|index: usize| ids[index].clone());
        for limit in [1, 2, 3, 100] {
            let list = format!("/products?category={encoded}{sort}&limit={limit}");
            until(&format!("{list} in its order"), shop.patience(), async || {
                let pages = steps::pages(&administrator, &list).await?;
                let is_so = steps::ids(&pages) == expected && pages.len() == 3_usize.div_ceil(limit);
                Ok(if is_so { Look::Done(()) } else { Look::NotYet(format!("{:?}", steps::ids(&pages))) })
            })
            .await?;
        }
    }
    for sort in ["name", "price", "-price"] {
        let list = format!("/products?sort={sort}&limit=100");
        until(&format!("all three in {list}"), shop.patience(), async || {
            let listed = steps::ids(&steps::pages(&administrator, &list).await?);
            let missing = ids.iter().filter(|id| !listed.contains(id)).count();
            Ok(if missing == 0 { Look::Done(()) } else { Look::NotYet(format!("{missing} are missing")) })
        })
        .await?;
    }
    administrator.get("/products?sort=colour").await?.problem(400, "invalid_query")?.names(&["?sort"])
}

/// A counter is read as a change of it answers.
pub(super) async fn a_counter_is_read(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 1.00, 7).await?;
    let path = format!("/products/{id}/stock");
    let order = steps::place(&administrator, &[(&id, 2)]).await?;
    steps::settles_as(&administrator, &order, "confirmed").await?;
    let read = administrator.get(path.clone()).await?.expect(200)?;
    read.has("/stock", 5)?;
    read.has("/reserved", 2)?;
    let etag = read.required_header("etag")?;
    administrator.get(path.clone()).header("if-none-match", etag).await?.expect(304)?;
    let changed = administrator.patch(path.clone()).header("if-match", etag).json(&json!({"delta": 1}));
    let changed = changed.await?.expect(200)?;
    let again = administrator.get(path).await?.expect(200)?;
    ensure!(again.json == changed.json, again.wrong("differs from what the change answered"));
    let none = format!("/products/{}/stock", shop.unique("none"));
    administrator.get(none).await?.problem(404, "not_found")?;
    Ok(())
}

/// `If-None-Match` spares the body of what has not changed.
pub(super) async fn an_unchanged_product_is_a_304(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 1.00, 7).await?;
    let path = format!("/products/{id}");
    let read = steps::catalogued(shop, &id).await?;
    let etag = read.required_header("etag")?.to_owned();
    for matching in [
        etag.clone(),
        format!("\"other\", {etag}"),
        format!("W/{}", etag.trim_start_matches("W/")),
        "*".to_owned(),
    ] {
        let unchanged =
            administrator.get(path.clone()).header("if-none-match", matching).await?.expect(304)?;
        ensure!(unchanged.body.is_empty(), unchanged.wrong("a 304 has no body"));
        unchanged.has_header("etag", &etag)?;
    }
    administrator.get(path.clone()).header("if-none-match", "\"other\"").await?.expect(200)?;
    administrator.patch(path.clone()).json(&json!({"name": "New"})).await?.expect(200)?;
    let changed = administrator.get(path.clone()).header("if-none-match", etag.clone()).await?.expect(200)?;
    let second = changed.required_header("etag")?.to_owned();
    ensure!(second != etag, changed.wrong("a change has another ETag"));
    // The stock is part of what a reader sees.
    administrator.patch(format!("{path}/stock")).json(&json!({"stock": 1})).await?.expect(200)?;
    administrator.get(path).header("if-none-match", second).await?.expect(200)?.has("/stock", 1)
}

/// `If-Match` holds a change to the version that its author saw.
pub(super) async fn a_stale_change_is_refused(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 1.00, 7).await?;
    let path = format!("/products/{id}");
    let first = steps::catalogued(shop, &id).await?;
    let old = first.required_header("etag")?;
    let change = |name: &str, etag: &str| {
        administrator.patch(path.clone()).header("if-match", etag).json(&json!({ "name": name }))
    };
    let changed = change("One", old).await?.expect(200)?;
    changed.has("/version", first.integer("/version")? + 1)?;
    let refused = change("Two", old).await?.problem(412, "stale_version")?;
    refused.has("/current_version", changed.integer("/version")?)?;
    administrator.delete(path.clone()).header("if-match", old).await?.problem(412, "stale_version")?;
    steps::catalogued(shop, &id).await?.has("/name", "One")?;
    change("Three", "*").await?.expect(200)?;
    // A sale in between changes the stock that was shown, and nothing that an author changes.
    let current = steps::catalogued(shop, &id).await?;
    let etag = current.required_header("etag")?;
    administrator.patch(format!("{path}/stock")).json(&json!({"delta": -1})).await?.expect(200)?;
    change("Four", etag).await?.expect(200)?;
    let current = steps::catalogued(shop, &id).await?;
    let etag = current.required_header("etag")?;
    administrator.delete(path).header("if-match", etag).await?.expect(204)?;
    Ok(())
}

/// Of many changes to one version at once, one is taken.
pub(super) async fn one_of_many_changes_at_once_wins(shop: &Shop) -> Result<()> {
    const WRITERS: usize = 10;
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 1.00, 7).await?;
    let path = format!("/products/{id}");
    let read = steps::catalogued(shop, &id).await?;
    let etag = read.required_header("etag")?;
    let writers = (0..WRITERS).map(|writer| {
        let body = json!({"name": format!("Writer {writer}")});
        administrator.patch(path.clone()).header("if-match", etag).json(&body).into_future()
    });
    let mut replies = futures::future::try_join_all(writers).await?;
    replies.retain(|reply| reply.status != 412);
    ensure!(replies.len() == 1, "{} of {WRITERS} changes were not refused: {replies:?}", replies.len());
    let winner = replies.remove(0).expect(200)?;
    steps::catalogued(shop, &id).await?.has("/name", winner.at("/name")?.clone())
}

/// A list shows what a read shows, without what was deleted.
pub(super) async fn a_list_shows_the_products(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let (kept, deleted) = (steps::product(shop, 4.20, 3).await?, steps::product(shop, 4.20, 3).await?);
    administrator.delete(format!("/products/{deleted}")).await?.expect(204)?;
    let read = steps::catalogued(shop, &kept).await?;
    until("the list to show the one product and not the other", shop.patience(), async || {
        let pages = steps::pages(&administrator, "/products?limit=100").await?;
        let listed = pages.iter().filter_map(|page| page.json["data"].as_array()).flatten();
        let listed: Vec<_> = listed.filter(|entry| entry["id"] == *kept || entry["id"] == *deleted).collect();
        Ok(if listed == [&read.json] { Look::Done(()) } else { Look::NotYet(format!("{listed:?}")) })
    })
    .await
}
