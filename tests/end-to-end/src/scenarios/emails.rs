//! Mails: an order leaves its confirmation with whom it is to, and the administrator sees what became of each.

use anyhow::{Result, ensure};

use crate::accounts;
use crate::reply::Reply;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// How a mail ends that reaches somebody, or that a shop without a sender does not send.
const SENT: &[&str] = &["sent", "skipped"];

/// A customer orders and is written to: when they register, and when the order is confirmed. A shop without a sender
/// says that it has written to nobody.
pub(super) async fn an_order_is_confirmed_by_mail(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let product = steps::product(shop, 4.20, 5).await?;
    let buyer = account.caller(shop);
    let order = steps::place(&buyer, &[(&product, 2)]).await?;
    steps::settles_as(&buyer, &order, "confirmed").await?;
    let confirmation = becomes(shop, &format!("/emails?order_id={order}"), SENT).await?;
    confirmation.has("/data/0/template", "order_confirmation")?;
    confirmation.has("/data/0/order_id", order.as_str())?;
    let welcome = becomes(shop, &format!("/emails?user_id={}", account.id), SENT).await?;
    welcome.has("/data/0/template", "welcome")?;
    let listed = shop.administrator()?.get("/emails?limit=100").await?.expect(200)?;
    ensure!(!listed.array("/data")?.is_empty(), listed.wrong("there are mails"));
    ensure!(!listed.body.contains('@'), listed.wrong("no list of mails says whom they are to"));
    buyer.get("/emails").await?.problem(403, "forbidden")?;
    if confirmation.string("/data/0/status")? == "sent" {
        let mailbox = shop.http().get(shop.url("/mailbox")).send().await?;
        // Only on a developer's machine is there one.
        if mailbox.status().is_success() {
            let page = mailbox.text().await?;
            ensure!(
                page.contains(&format!("Your order {order} is confirmed")),
                "the mailbox has no such mail"
            );
            ensure!(page.contains(&account.email), "the mail is to somebody else");
        }
    }
    Ok(())
}

/// A mail that comes back is shown as such. The address is one of SES's own simulator, which takes it on AWS as well.
pub(super) async fn a_mail_that_comes_back_is_noted(shop: &Shop) -> Result<()> {
    let guest = shop.guest()?;
    let product = steps::product(shop, 1.30, 5).await?;
    let mut body = steps::order_of(&[(&product, 1)]);
    body["email"] = "bounce@simulator.amazonses.com".into();
    let placed = guest.post("/orders").json(&body).await?.expect(201)?;
    let order = placed.string("/id")?;
    steps::settles_as(&shop.administrator()?, order, "confirmed").await?;
    let mail = becomes(shop, &format!("/emails?order_id={order}"), &["bounced", "skipped"]).await?;
    if mail.string("/data/0/status")? == "bounced" {
        mail.has("/data/0/reason", "permanent")?;
    }
    Ok(())
}

/// Waits until the one mail of a list has come to its end.
async fn becomes(shop: &Shop, list: &str, ends: &[&str]) -> Result<Reply> {
    let administrator = shop.administrator()?;
    until(&format!("the mail of {list} to be sent"), shop.patience(), async || {
        let page = administrator.get(list.to_owned()).await?.expect(200)?;
        let status = page.json["data"][0]["status"].as_str().unwrap_or_default();
        Ok(if ends.contains(&status) { Look::Done(page) } else { Look::NotYet(page.body) })
    })
    .await
}
