//! Paging: every item once, in every size of page, and cursors that are good for their own list only.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};

use crate::request::Caller;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

const ITEMS: usize = 250;
/// Of these sizes, 250 is a multiple of one and not of the others.
const SIZES: [usize; 3] = [100, 50, 33];

/// 250 products, page by page, without a gap or a repeat.
pub(super) async fn every_product_is_on_one_page(shop: &Shop) -> Result<()> {
    let made: BTreeSet<String> = stream::iter(0..ITEMS)
        .map(|_| steps::product(shop, 1.00, 1))
        .buffer_unordered(shop.scale().callers())
        .try_collect()
        .await?;
    walk(&shop.administrator()?, "/products", &made).await?;
    if let Ok(guest) = shop.guest() {
        walk(&guest, "/products", &made).await?;
    }
    Ok(())
}

/// 250 orders, page by page, without a gap or a repeat, newest first.
pub(super) async fn every_order_is_on_one_page(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 1.00, ITEMS).await?;
    let placed = steps::place_many(&buyer, &[(&product, 1)], ITEMS).await?;
    let outcomes = steps::outcomes(&buyer, &placed).await?;
    ensure!(
        outcomes == [("confirmed".to_owned(), ITEMS)].into(),
        "250 orders for 250 units became {outcomes:?}"
    );
    let placed: BTreeSet<String> = placed.into_iter().collect();
    walk(&buyer, "/orders", &placed).await?;
    walk(&buyer, "/orders?customer_id=me", &placed).await?;
    newest_first(&buyer, "/orders?limit=100").await?;
    let administrator = shop.administrator()?;
    walk(&administrator, "/orders", &placed).await?;
    walk(&administrator, "/orders?status=confirmed", &placed).await?;
    newest_first(&administrator, "/orders?status=confirmed&limit=100").await
}

/// A cursor belongs to the list that gave it.
pub(super) async fn a_cursor_is_good_for_its_own_list_only(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 1.00, 3).await?;
    for _ in 0..3 {
        let id = steps::place(&administrator, &[(&product, 1)]).await?;
        steps::settles_as(&administrator, &id, "confirmed").await?;
    }
    let lists = ["/orders?limit=1", "/orders?limit=1&status=confirmed", "/products?limit=1"];
    for from in lists {
        let page = until("a first page with a next one", shop.patience(), async || {
            let page = administrator.get(from).await?.expect(200)?;
            Ok(if page.json["next_cursor"].is_string() { Look::Done(page) } else { Look::NotYet(page.body) })
        })
        .await?;
        let cursor = page.string("/next_cursor")?;
        let link = page.required_header("link")?;
        ensure!(
            link.contains(cursor) && link.ends_with(r#"rel="next""#),
            page.wrong("no link to the next page")
        );
        // The link itself leads there.
        let path = link.trim_start_matches('<').split('>').next().unwrap_or_default();
        administrator.get(path).await?.expect(200)?;
        for to in lists {
            let reply = administrator.get(format!("{to}&cursor={cursor}")).await?;
            if from == to {
                reply.expect(200)?;
            } else {
                reply.problem(400, "invalid_query")?.names(&["?cursor"])?;
            }
        }
        // The same list, in pages of another size.
        let wider = format!("{}&cursor={cursor}", from.replace("limit=1", "limit=7"));
        administrator.get(wider).await?.expect(200)?;
    }
    Ok(())
}

/// Walks a list in pages of several sizes until it holds all of `expected` (an index may lag behind); no id
/// may come twice at any time.
async fn walk(caller: &Caller<'_>, list: &str, expected: &BTreeSet<String>) -> Result<()> {
    let separator = if list.contains('?') { '&' } else { '?' };
    for limit in SIZES {
        until(&format!("all items of {list} by {limit}"), caller.shop().patience(), async || {
            let pages = steps::pages(caller, &format!("{list}{separator}limit={limit}")).await?;
            let ids = steps::ids(&pages);
            let distinct: BTreeSet<String> = ids.iter().cloned().collect();
            ensure!(
                distinct.len() == ids.len(),
                "{list} by {limit}: {} of {} ids repeat",
                ids.len() - distinct.len(),
                ids.len()
            );
            for page in &pages {
                let length = page.array("/data")?.len();
                ensure!((1..=limit).contains(&length), page.wrong(&format!("{length} items on a page")));
            }
            let missing = expected.difference(&distinct).count();
            Ok(if missing == 0 { Look::Done(()) } else { Look::NotYet(format!("{missing} are missing")) })
        })
        .await?;
    }
    Ok(())
}

async fn newest_first(caller: &Caller<'_>, list: &str) -> Result<()> {
    let pages = steps::pages(caller, list).await?;
    let mut times = Vec::new();
    for page in &pages {
        for order in page.array("/data")? {
            times.push(order["created_at"].as_str().unwrap_or_default());
        }
    }
    let sorted = times.is_sorted_by(|newer, older| newer >= older);
    ensure!(sorted, "{list} is not newest first: {times:?}");
    Ok(())
}
