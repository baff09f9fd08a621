//! What the headers of an answer promise. (What every answer must have is in the contract.)

use anyhow::{Result, ensure};

use crate::shop::Shop;
use crate::steps;

/// The catalogue may be cached by all, everything else by nobody.
pub(super) async fn replies_may_be_cached_as_they_say(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 1.00, 1).await?;
    for path in [format!("/products/{product}"), "/products".to_owned()] {
        // Whoever changes the catalogue sees the change; guests alone share what a cache keeps.
        let own = administrator.get(path.clone()).await?.expect(200)?;
        own.has_header("cache-control", "private, no-cache")?;
        let mut replies = vec![own];
        if let Ok(guest) = shop.guest() {
            let reply = guest.get(path).await?.expect(200)?;
            let policy = reply.required_header("cache-control")?;
            let shared = policy.contains("public") && policy.contains("s-maxage=");
            ensure!(shared, reply.wrong("the catalogue may be cached"));
            replies.push(reply);
        }
        for reply in replies {
            let vary = reply.required_header("vary")?.to_ascii_lowercase();
            ensure!(vary.contains("authorization"), reply.wrong("a cache must tell callers apart"));
        }
    }
    let order = administrator.post("/orders").json(&steps::order_of(&[(&product, 1)])).await?.expect(201)?;
    let id = order.string("/id")?;
    let settled = steps::settles_as(&administrator, id, "confirmed").await?;
    let orders = administrator.get("/orders").await?.expect(200)?;
    let statistics = administrator.get("/users/me/stats").await?.expect(200)?;
    let missing = administrator.get(format!("/products/{}", shop.unique("none"))).await?.expect(404)?;
    for reply in [&order, &settled, &orders, &statistics, &missing] {
        reply.has_header("cache-control", "no-store")?;
    }
    ensure!(
        order.required_header("x-request-id")? != settled.required_header("x-request-id")?,
        settled.wrong("a request has an id of its own")
    );
    Ok(())
}
