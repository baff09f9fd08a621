//! What strangers are shown of the catalogue where something stands before the API that keeps answers.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// A stranger's answer may be kept, and is forgotten within seconds of a change; whoever changes it sees it at once.
pub(super) async fn a_stranger_sees_a_new_price_within_seconds(shop: &Shop) -> Result<()> {
    let (administrator, stranger) = (shop.administrator()?, shop.guest()?);
    let product = steps::product(shop, 1.00, 1).await?;
    let path = format!("/products/{product}");
    let first = stranger.get(path.clone()).await?.expect(200)?;
    if first.header("x-cache").is_some() {
        // That the product was made is forgotten in these seconds too.
        let what = format!("an answer about {product} to be kept");
        let kept = until(&what, shop.patience(), async || {
            let seen = stranger.get(path.clone()).await?.expect(200)?;
            let is_kept = seen.header("x-cache") == Some("Hit from cloudfront");
            Ok(if is_kept { Look::Done(seen) } else { Look::NotYet(format!("{seen:?}")) })
        })
        .await?;
        ensure!(kept.header("age").is_some(), kept.wrong("what is kept says how old it is"));
    }
    let changed = administrator.patch(path.clone()).json(&json!({ "price": 2 })).await?.expect(200)?;
    let own = administrator.get(path.clone()).await?.expect(200)?;
    own.has("/version", changed.integer("/version")?)?;
    until(&format!("a stranger to see the new price of {product}"), shop.patience(), async || {
        let seen = stranger.get(path.clone()).await?.expect(200)?;
        let is_new = seen.at("/version")? == changed.at("/version")?;
        Ok(if is_new { Look::Done(()) } else { Look::NotYet(format!("{seen:?}")) })
    })
    .await
}
