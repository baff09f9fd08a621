//! `GET /emails`: who sees which mails, page by page.

use anyhow::{Context, Result, bail, ensure};
use http::Method;
use serde_json::Value;
use service_tests::simulate;
use shop_events::OrderStatus;

use super::stage::{ADA, ADDRESS, GUEST, Order, Stage};

#[test]
fn the_list_is_newest_first_page_by_page_without_a_gap() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let mut ids = Vec::new();
        for number in 0..11 {
            let (order, event) = stage.confirmed(&number.to_string()).await?;
            stage.send(&[event]).await?;
            stage.service.settled().await?;
            ids.push(order.id.to_string());
        }
        ids.reverse();
        for limit in [1, 2, 4, 11, 100] {
            let (mut seen, mut path) = (Vec::new(), Some(format!("/emails?limit={limit}")));
            while let Some(next) = path {
                let answer = stage.service.send(Method::GET, &next, None).await?.expect(200)?;
                let data = answer.body["data"].as_array().context("data")?;
                ensure!(data.len() <= limit, "{next}");
                seen.extend(data.iter().filter_map(|email| email["order_id"].as_str().map(str::to_owned)));
                let cursor = answer.body["next_cursor"].as_str();
                path = cursor.map(|cursor| format!("/emails?limit={limit}&cursor={cursor}"));
            }
            ensure!(seen == ids, "by {limit}: {seen:?}");
        }
        Ok(())
    })
}

#[test]
fn the_mails_about_one_thing_are_found_by_it() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.register("Ada", Some(ADDRESS)).await?;
        let order = Order::of(None, "order")?;
        stage.store(&order, OrderStatus::Shipped, Some(GUEST)).await?;
        for event in
            [order.event(OrderStatus::Confirmed), order.event(OrderStatus::Shipped), Stage::registered()?]
        {
            stage.send(&[event]).await?;
            stage.service.settled().await?;
        }
        let of_order = stage.emails(&format!("?order_id={}", order.id)).await?;
        let templates: Vec<_> = of_order.iter().filter_map(|email| email["template"].as_str()).collect();
        ensure!(templates == ["order_shipment", "order_confirmation"], "{templates:?}");
        let of_ada = stage.emails(&format!("?user_id={ADA}")).await?;
        ensure!(of_ada.len() == 1 && of_ada[0]["template"] == "welcome", "{of_ada:?}");
        let nobody = stage.emails("?order_id=ord_0000000000000000000000000a").await?;
        ensure!(nobody.is_empty());
        let cursor = format!("?order_id={}&cursor=abc", order.id);
        let both = format!("?order_id={}&user_id={ADA}", order.id);
        for query in ["?order_id=1", "?user_id=ord_1", &both, "?cursor=abc", "?limit=0", &cursor] {
            let answer = stage.service.send(Method::GET, &format!("/emails{query}"), None).await?;
            answer.problem(400, "invalid_query")?;
        }
        let token = stage.service.token(ADA)?;
        let answer = stage.service.raw(&Method::GET, "/emails", &format!("Bearer {token}")).await?;
        answer.problem(403, "forbidden")?;
        Ok(())
    })
}

#[test]
fn the_mails_to_a_user_are_all_there_page_by_page() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.register("Ada", Some(ADDRESS)).await?;
        let order = Order::of(Some(ADA), "order")?;
        stage.store(&order, OrderStatus::Shipped, None).await?;
        let (_, of_a_guest) = stage.confirmed("a guest's").await?;
        let events = [
            Stage::registered()?,
            Stage::reset_requested(1)?,
            of_a_guest,
            order.event(OrderStatus::Confirmed),
            Stage::confirmation_requested(2)?,
            Stage::reset_requested(3)?,
            order.event(OrderStatus::Shipped),
        ];
        for event in events {
            stage.send(&[event]).await?;
            stage.service.settled().await?;
        }
        let of_ada = [
            "order_shipment",
            "password_reset",
            "email_confirmation",
            "order_confirmation",
            "password_reset",
            "welcome",
        ];
        let of_order = ["order_shipment", "order_confirmation"];
        for (list, wanted) in
            [(format!("user_id={ADA}"), &of_ada[..]), (format!("order_id={}", order.id), &of_order)]
        {
            for limit in [1, 2, 5, 100] {
                let (mut seen, mut cursor) = (Vec::new(), String::new());
                loop {
                    let path = format!("/emails?{list}&limit={limit}&cursor={cursor}");
                    let answer = stage.service.send(Method::GET, &path, None).await?.expect(200)?;
                    let data = answer.body["data"].as_array().context("data")?;
                    ensure!(data.len() <= limit, "{path}: {}", data.len());
                    seen.extend(data.iter().filter_map(|mail| mail["template"].as_str().map(str::to_owned)));
                    let Some(next) = answer.body["next_cursor"].as_str() else { break };
                    ensure!(answer.header("link")?.contains(&format!("/emails?{list}&limit=")), "{list}");
                    next.clone_into(&mut cursor);
                }
                ensure!(seen == wanted, "{list} by {limit}: {seen:?}");
            }
        }
        // A cursor is of its own list.
        let page = stage.service.send(Method::GET, &format!("/emails?user_id={ADA}&limit=1"), None).await?;
        let cursor = page.body["next_cursor"].as_str().context("a cursor")?.to_owned();
        for list in [String::new(), format!("order_id={}&", order.id)] {
            let path = format!("/emails?{list}cursor={cursor}");
            stage.service.send(Method::GET, &path, None).await?.problem(400, "invalid_query")?;
        }
        Ok(())
    })
}

#[test]
fn what_a_mail_says_is_written_anew_and_is_what_was_sent() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let name = "<img src=x onerror=alert(1)>";
        stage.register(name, Some(ADDRESS)).await?;
        let order = Order::of(Some(ADA), "order")?;
        stage.store(&order, OrderStatus::Shipped, None).await?;
        stage.send(&[order.event(OrderStatus::Shipped)]).await?;
        stage.service.settled().await?;
        stage.send(&[Stage::registered()?]).await?;
        stage.service.settled().await?;
        let shown = async |email: &Value| -> Result<Value> {
            let path = format!("/emails/{}", email["id"].as_str().context("id")?);
            let answer = stage.service.send(Method::GET, &path, None).await?.expect(200)?;
            ensure!(answer.body["email"] == *email, "{}", answer.body);
            ensure!(!answer.body.to_string().contains(ADDRESS), "{}", answer.body);
            Ok(answer.body["letter"].clone())
        };
        let [shipped, welcome] = &*stage.mailbox() else { bail!("two mails were sent") };
        let email = stage.email(&order).await?;
        let letter = shown(&email).await?;
        ensure!(letter["subject"] == *shipped.subject, "{letter}");
        ensure!(letter["text"].as_str() == shipped.text.as_deref(), "{letter}");
        ensure!(letter["html"].as_str() == shipped.html.as_deref(), "{letter}");
        ensure!(letter["text"].as_str().context("text")?.contains(name), "{letter}");
        ensure!(!letter["html"].as_str().context("html")?.contains("<img"), "{letter}");

        // What proves something is in the mail alone.
        let of_ada = stage.emails(&format!("?user_id={ADA}")).await?;
        let letter = shown(&of_ada[0]).await?;
        let (text, sent) =
            (letter["text"].as_str().context("text")?, welcome.text.as_deref().context("text")?);
        let differs: Vec<_> = text.lines().zip(sent.lines()).filter(|(shown, sent)| shown != sent).collect();
        ensure!(differs.iter().all(|(shown, _)| shown.trim().ends_with("--------")), "{differs:?}");
        ensure!(!differs.is_empty() && text.lines().count() == sent.lines().count(), "{text}\n{sent}");

        // Of who is gone nothing is left to say; what was ordered stays an order's.
        stage.register(name, None).await?;
        ensure!(shown(&of_ada[0]).await?.is_null());
        let letter = shown(&email).await?;
        ensure!(letter["text"].as_str().is_some_and(|text| !text.contains(name)), "{letter}");
        let unknown = "/emails/email_0000000000000000000000000a";
        stage.service.send(Method::GET, unknown, None).await?.problem(404, "not_found")?;
        Ok(())
    })
}
