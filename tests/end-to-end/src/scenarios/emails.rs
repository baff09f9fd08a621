//! Mails: an order leaves its confirmation with whom it is to, and the administrator sees what became of each.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::accounts;
use crate::reply::Reply;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// What a forgotten password is replaced by.
const ANOTHER_PASSWORD: &str = "another correct horse battery";
/// How a mail ends that reaches somebody, or that a shop without a sender does not send.
const SENT: &[&str] = &["sent", "skipped"];

/// A customer orders and is written to: when they register, and when the order is confirmed. A shop without a sender
/// says that it has written to nobody.
pub(super) async fn an_order_is_confirmed_by_mail(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let welcome = becomes(shop, &format!("/emails?user_id={}", account.id), SENT).await?;
    welcome.has("/data/0/template", "welcome")?;
    let product = steps::product(shop, 4.20, 5).await?;
    let buyer = account.caller(shop);
    let order = steps::place(&buyer, &[(&product, 2)]).await?;
    steps::settles_as(&buyer, &order, "confirmed").await?;
    let confirmation = becomes(shop, &format!("/emails?order_id={order}"), SENT).await?;
    confirmation.has("/data/0/template", "order_confirmation")?;
    confirmation.has("/data/0/order_id", order.as_str())?;
    let to_account = format!("/emails?user_id={}", account.id);
    let all = shop.administrator()?.get(format!("{to_account}&limit=1")).await?.expect(200)?;
    ensure!(all.array("/data")?.len() == 1, all.wrong("a page of one mail"));
    let next = format!("{to_account}&limit=1&cursor={}", all.string("/next_cursor")?);
    let next = shop.administrator()?.get(next).await?.expect(200)?;
    let mut templates = [all.string("/data/0/template")?, next.string("/data/0/template")?];
    templates.sort_unstable();
    ensure!(templates == ["order_confirmation", "welcome"], next.wrong("both mails to the account"));
    let listed = shop.administrator()?.get("/emails?limit=100").await?.expect(200)?;
    ensure!(!listed.array("/data")?.is_empty(), listed.wrong("there are mails"));
    ensure!(!listed.body.contains('@'), listed.wrong("no list of mails says whom they are to"));
    buyer.get("/emails").await?.problem(403, "forbidden")?;
    let subject = format!("Your order {order} is confirmed");
    says(shop, &confirmation, |read| read.has("/letter/subject", subject.as_str()).map(drop)).await?;
    says(shop, &welcome, |read| {
        // What proves whose the address is, is in the mail that was sent and nowhere else.
        ensure!(read.string("/letter/text")?.contains("--------"), read.wrong("no token's place"));
        ensure!(!read.body.contains('@'), read.wrong("nobody is told whom it is to"));
        Ok(())
    })
    .await?;
    if confirmation.string("/data/0/status")? == "sent" {
        let mailbox = shop.http().get(shop.url("/mailbox")).send().await?;
        // Only on a developer's machine is there one.
        if mailbox.status().is_success() {
            let page = mailbox.text().await?;
            ensure!(page.contains(&subject), "the mailbox has no such mail");
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

/// Who has forgotten the password asks for a mail, and sets another by its token; the welcome's token confirms the address.
/// Where mails can be read: everywhere else no token is to be had, and none is made up.
pub(super) async fn a_forgotten_password_is_replaced_by_mail(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let (nobody, customer) = (shop.nobody(), account.caller(shop));
    for email in [account.email.clone(), accounts::new_address(shop)] {
        nobody.post("/password-resets").json(&json!({ "email": email })).await?.expect(202)?;
    }
    customer.post("/users/me/email-confirmation").await?.expect(202)?;
    for wrong in ["x", "rp1.usr_00000000000000000000000001.1.c2lnbmVk"] {
        let body = json!({ "token": wrong, "password": ANOTHER_PASSWORD });
        nobody.post("/password-resets/complete").json(&body).await?.problem(422, "invalid_mail_token")?;
        let body = json!({ "token": wrong });
        nobody.post("/email-confirmations").json(&body).await?.problem(422, "invalid_mail_token")?;
    }
    let mail = becomes(shop, &format!("/emails?user_id={}", account.id), SENT).await?;
    let is_sent = mail.string("/data/0/status")? == "sent";
    if !is_sent || !shop.http().get(shop.url("/mailbox")).send().await?.status().is_success() {
        return Ok(());
    }
    let confirmation = json!({ "token": mailed(shop, &account.email, "ce1.").await? });
    nobody.post("/email-confirmations").json(&confirmation).await?.expect(204)?;
    customer.get("/users/me").await?.expect(200)?.has("/email_confirmed", true)?;
    let token = mailed(shop, &account.email, "rp1.").await?;
    let body = json!({ "token": token, "password": ANOTHER_PASSWORD });
    nobody.post("/password-resets/complete").json(&body).await?.expect(204)?;
    nobody.post("/password-resets/complete").json(&body).await?.problem(422, "invalid_mail_token")?;
    customer.get("/users/me").await?.problem(401, "unauthorized")?;
    let old = accounts::try_log_in(shop, &account.email, accounts::PASSWORD).await?;
    old.problem(401, "invalid_credentials")?;
    accounts::log_in(shop, &account.email, ANOTHER_PASSWORD).await?;
    Ok(())
}

/// The token of a kind that an address was mailed.
async fn mailed(shop: &Shop, email: &str, prefix: &str) -> Result<String> {
    until(&format!("a mail with {prefix} to {email}"), shop.patience(), async || {
        let list = shop.http().get(shop.url("/mailbox")).send().await?.text().await?;
        let rows = list.split("<tr>").filter(|row| row.contains(&format!("<td>{email}</td>")));
        for path in rows.filter_map(|row| row.split("href=\"").nth(1)?.split('"').next()) {
            let page = shop.http().get(shop.url(path)).send().await?.text().await?;
            let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if let Some(start) = page.find(prefix) {
                return Ok(Look::Done(page[start..].chars().take_while(|c| is_part(*c)).collect()));
            }
        }
        Ok(Look::NotYet("there is none".to_owned()))
    })
    .await
}

/// What the first mail of a list would say now.
async fn says(shop: &Shop, list: &Reply, right: impl FnOnce(&Reply) -> Result<()>) -> Result<()> {
    let path = format!("/emails/{}", list.string("/data/0/id")?);
    right(&shop.administrator()?.get(path).await?.expect(200)?)
}

/// Waits until the newest mail of a list has come to its end.
async fn becomes(shop: &Shop, list: &str, ends: &[&str]) -> Result<Reply> {
    let administrator = shop.administrator()?;
    until(&format!("the mail of {list} to be sent"), shop.patience(), async || {
        let page = administrator.get(list.to_owned()).await?.expect(200)?;
        let status = page.json["data"][0]["status"].as_str().unwrap_or_default();
        Ok(if ends.contains(&status) { Look::Done(page) } else { Look::NotYet(page.body) })
    })
    .await
}
