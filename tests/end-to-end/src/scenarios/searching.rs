//! Search: what the catalogue says is found within seconds.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::shop::Shop;
use crate::wait::{Look, until};

/// What a change may take until it is found, at most: a batch's window, the index, and what a cache keeps. An emulator is
/// slower.
const FOUND_WITHIN: Duration = Duration::from_secs(15);

/// A product is found by a typing error in its name, at its new price soon after that was set, and no more once it is
/// deleted.
pub(super) async fn a_product_is_found_by_what_it_is_called_and_costs_now(shop: &Shop) -> Result<()> {
    let (administrator, stranger) = (shop.administrator()?, shop.guest()?);
    let product = shop.unique("samovar");
    // A word of its own, in letters: a number with another digit is another number.
    let word: String = product.bytes().filter(u8::is_ascii_alphanumeric).map(letter).collect();
    let body = json!({ "id": product, "name": format!("Samovar {word}"), "price": 49.9, "stock": 2 });
    administrator.post("/products").json(&body).await?.expect(201)?;
    let patience = shop.patience().max(FOUND_WITHIN);
    let found = async |query: &str| stranger.get(format!("/search?q={query}")).await?.expect(200);
    until(&format!("{product} to be found"), patience, async || {
        let reply = found(&word).await?;
        let is_found = reply.at("/data/0/id").is_ok_and(|id| *id == product.as_str());
        Ok(if is_found { Look::Done(()) } else { Look::NotYet(format!("{reply:?}")) })
    })
    .await?;
    let wrong = format!("{}q{}", &word[..2], &word[2..]);
    let typed = found(&wrong).await?;
    typed.has("/data/0/id", product.as_str())?;
    typed.has("/data/0/in_stock", true)?;
    ensure!(!typed.at("/indexed_at")?.is_null(), typed.wrong("it says when the index was made"));
    let suggested =
        stranger.get(format!("/search/suggestions?q={}", &word[..word.len() - 1])).await?.expect(200)?;
    suggested.has("/data/0/product_id", product.as_str())?;
    let path = format!("/products/{product}");
    let changed = administrator.patch(path.clone()).json(&json!({ "price": 44.9 })).await?.expect(200)?;
    until(&format!("{product} to be found at its new price"), patience, async || {
        let (reply, shown) = (found(&word).await?, stranger.get(path.clone()).await?.expect(200)?);
        let version = changed.at("/version")?;
        let is_new = reply.at("/data/0/version").is_ok_and(|found| found == version)
            && shown.at("/version")? == version;
        Ok(if is_new { Look::Done(()) } else { Look::NotYet(format!("{reply:?} {shown:?}")) })
    })
    .await?;
    administrator.delete(path).await?.expect(204)?;
    until(&format!("{product} not to be found"), patience, async || {
        let reply = found(&word).await?;
        let is_gone = reply.at("/total")? == &json!(0);
        Ok(if is_gone { Look::Done(()) } else { Look::NotYet(format!("{reply:?}")) })
    })
    .await
}

/// A letter for a letter or a digit.
fn letter(byte: u8) -> char {
    char::from(if byte.is_ascii_digit() { byte - b'0' + b'k' } else { byte.to_ascii_lowercase() })
}

pub(super) async fn what_is_no_search_is_refused(shop: &Shop) -> Result<()> {
    let guest = shop.guest()?;
    for query in ["?q=", "?q=a&sort=name", "?q=a&min_price=free", "?q=a&in_stock=1", "?q=a&cursor=x"] {
        guest.get(format!("/search{query}")).await?.expect(400)?;
    }
    guest.get("/search/suggestions").await?.expect(400)?;
    // Without words nothing is looked for, and everything is there to be filtered.
    guest.get("/search?min_price=0.01&limit=1").await?.expect(200).map(drop)
}
