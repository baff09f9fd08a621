//! `GET /emails`: who sees which mails, page by page.

use anyhow::{Context, Result, ensure};
use http::Method;
use service_tests::simulate;
use shop_events::OrderStatus;

use crate::stage::{ADA, ADDRESS, GUEST, Order, Stage};

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
