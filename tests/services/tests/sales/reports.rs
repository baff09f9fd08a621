//! What administrators are shown.

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Service, simulate};
use shop_events::OrderStatus;
use shop_local::cloud::Options;

use super::{BERLIN, UTC, bucket, cancelled, confirmed, deliver, get, order, put};

async fn berlin() -> Result<Service> {
    Service::start_with(&services::functions(), Options::simulated(1), &[(UTC, BERLIN)]).await
}

fn column(report: &Value, name: &str) -> Vec<Value> {
    report["data"].as_array().into_iter().flatten().map(|bucket| bucket[name].clone()).collect()
}

/// Days of 23 and of 25 hours: each hour is there, with its sales or with zeros, and the hours of a day are its sum.
#[test]
fn days_on_which_the_clocks_are_changed_have_their_hours() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        let times = [
            // The last moment before, and the first and the last of the day of 23 hours.
            "2026-03-28T22:59:59.999Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T21:59:59.999Z",
            "2026-03-29T22:00:00Z",
            // The hour that comes twice.
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T22:30:00Z",
        ];
        for (number, time) in times.into_iter().enumerate() {
            deliver(&service, &[confirmed(&order(number, time, &["a"])?)]).await?;
        }
        for (day, hours, orders) in [("2026-03-29", 23, 2), ("2026-10-25", 25, 3), ("2026-10-26", 24, 0)] {
            let path = |by: &str| format!("/analytics/sales?from={day}&to={day}&by={by}");
            let by_hour = get(&service, &path("hour")).await?.expect(200)?.body;
            let by_day = get(&service, &path("day")).await?.expect(200)?.body;
            ensure!(column(&by_hour, "start").len() == hours, "{day}: {by_hour}");
            ensure!(column(&by_hour, "date").iter().all(|date| date == day), "{day}: {by_hour}");
            ensure!(
                by_day["total"]["orders"] == orders && by_hour["total"] == by_day["total"],
                "{by_day} {by_hour}"
            );
            ensure!(
                by_day["time_zone"] == "Europe/Berlin" && column(&by_day, "date") == [json!(day)],
                "{by_day}"
            );
        }
        let twice =
            get(&service, "/analytics/sales?from=2026-10-25&to=2026-10-25&by=hour").await?.expect(200)?.body;
        let orders = column(&twice, "orders");
        let starts = column(&twice, "start");
        assert_eq!(
            (&starts[0], &starts[2], &starts[3]),
            (
                &json!("2026-10-24T22:00:00.000Z"),
                &json!("2026-10-25T00:00:00.000Z"),
                &json!("2026-10-25T01:00:00.000Z")
            )
        );
        assert_eq!((&orders[2], &orders[3], &orders[4]), (&json!(1), &json!(1), &json!(0)));
        Ok(())
    })
}

#[test]
fn a_sale_that_is_taken_back_stays_where_it_was() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        let [sale, other] =
            [order(0, "2026-11-23T10:00:00Z", &["a", "b"])?, order(1, "2026-11-23T10:00:00Z", &["b"])?];
        let back = cancelled(&sale, OrderStatus::Confirmed, "2026-11-25T23:30:00Z")?;
        deliver(&service, &[back, confirmed(&sale), confirmed(&other)]).await?;
        let sales = get(&service, "/analytics/sales?from=2026-11-22&to=2026-11-26").await?.expect(200)?;
        ensure!(column(&sales.body, "orders") == [0, 2, 0, 0, 0].map(|n| json!(n)), "{}", sales.text);
        ensure!(
            column(&sales.body, "cancelled_orders") == [0, 0, 0, 0, 1].map(|n| json!(n)),
            "{}",
            sales.text
        );
        for part in ["\"gross\":7.50", "\"net\":-5.00", "\"cancelled\":5.00"] {
            ensure!(sales.text.contains(part), "{part}: {}", sales.text);
        }
        let total = "\"orders\":2,\"cancelled_orders\":1,\"units\":3,\"cancelled_units\":2,\"gross\":7.50,\"cancelled\":5.00,\"net\":2.50";
        ensure!(sales.text.contains(total), "{}", sales.text);
        let products =
            get(&service, "/analytics/products?from=2026-11-22&to=2026-11-26").await?.expect(200)?;
        ensure!(column(&products.body, "product_id") == ["b", "a"].map(|id| json!(id)), "{}", products.text);
        ensure!(
            products.text.contains("\"net\":2.50") && products.text.contains("\"net\":0.00"),
            "{}",
            products.text
        );
        // Another currency is another report.
        let yen = get(&service, "/analytics/sales?currency=JPY").await?.expect(200)?;
        ensure!(yen.body["total"]["orders"] == 0 && yen.text.contains("\"gross\":0,"), "{}", yen.text);
        Ok(())
    })
}

#[test]
fn csv_is_the_same_report_and_nothing_in_it_is_a_formula() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        let sale = order(0, "2026-11-23T10:00:00Z", &["a", "b-1"])?;
        deliver(
            &service,
            &[confirmed(&sale), cancelled(&sale, OrderStatus::Confirmed, "2026-11-24T10:00:00Z")?],
        )
        .await?;
        let csv = async |path: &str| {
            let answer =
                service.send_with(Method::GET, path, None, &[("accept", "text/csv")]).await?.expect(200)?;
            ensure!(answer.header("content-type")? == "text/csv; charset=utf-8");
            Ok(answer.text)
        };
        let sales = csv("/analytics/sales?from=2026-11-23&to=2026-11-24").await?;
        assert_eq!(
            sales,
            "date,start,orders,cancelled_orders,units,cancelled_units,gross,cancelled,net,currency\r\n\
             2026-11-23,2026-11-22T23:00:00.000Z,1,0,2,0,5.00,0.00,5.00,USD\r\n\
             2026-11-24,2026-11-23T23:00:00.000Z,0,1,0,2,0.00,5.00,-5.00,USD\r\n"
        );
        let products = csv("/analytics/products?from=2026-11-23&to=2026-11-24&sort=units").await?;
        assert_eq!(
            products,
            "product_id,units,cancelled_units,net_units,gross,cancelled,net,currency\r\n\
             a,1,1,0,2.50,2.50,0.00,USD\r\nb-1,1,1,0,2.50,2.50,0.00,USD\r\n"
        );
        Ok(())
    })
}

#[test]
fn a_report_has_a_tag_for_each_of_its_forms() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        let path = "/analytics/sales?from=2026-11-23&to=2026-11-23";
        let ask = async |method: Method, accept: &str, tag: &str| {
            service.send_with(method, path, None, &[("accept", accept), ("if-none-match", tag)]).await
        };
        let json =
            ask(Method::GET, "application/json", "\"v0\"").await?.expect(200)?.header("etag")?.to_owned();
        let csv = ask(Method::GET, "text/csv", &json).await?.expect(200)?.header("etag")?.to_owned();
        ensure!(json != csv);
        let same = ask(Method::GET, "*/*", &json).await?.expect(304)?;
        ensure!(same.header("vary")? == "Accept" && same.header("etag")? == json && same.text.is_empty());
        let head = ask(Method::HEAD, "text/csv", "\"v0\"").await?.expect(200)?;
        ensure!(head.header("etag")? == csv && head.text.is_empty());
        let refused = ask(Method::GET, "text/html, application/*;q=0", "\"v0\"")
            .await?
            .problem(406, "not_acceptable")?;
        ensure!(refused.header("vary")? == "Accept", "{}", refused.text);
        deliver(&service, &[confirmed(&order(0, "2026-11-23T10:00:00Z", &["a"])?)]).await?;
        ensure!(ask(Method::GET, "*/*", &json).await?.expect(200)?.header("etag")? != json);
        Ok(())
    })
}

#[test]
fn a_query_is_held_to_its_bounds_and_all_that_is_wrong_is_said_at_once() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        for (path, expected) in [
            ("/analytics/sales?from=2025-01-01&to=2026-01-01", &[][..]),
            ("/analytics/sales?from=2025-01-01&to=2026-01-02", &[("?from", "out_of_range")]),
            ("/analytics/sales?by=hour&from=2026-01-01&to=2026-01-31", &[]),
            ("/analytics/sales?by=hour&from=2026-01-01&to=2026-02-01", &[("?from", "out_of_range")]),
            ("/analytics/products?from=2026-01-01&to=2026-01-31", &[]),
            ("/analytics/products?from=2026-01-01&to=2026-02-01", &[("?from", "out_of_range")]),
            ("/analytics/sales?from=2026-01-02&to=2026-01-01", &[("?from", "out_of_range")]),
            ("/analytics/sales?from=2026-02-29", &[("?from", "invalid_filter")]),
            ("/analytics/sales?to=20260101", &[("?to", "invalid_filter")]),
            ("/analytics/sales?to=2026-1-1", &[("?to", "invalid_filter")]),
            ("/analytics/sales?to=-000001-01-01", &[("?to", "out_of_range")]),
            ("/analytics/sales?from=9998-12-31&to=9999-01-01", &[("?to", "out_of_range")]),
            ("/analytics/sales?from=9998-12-31&to=9998-12-31", &[]),
            ("/analytics/sales?from=1970-01-01&to=1970-01-01&by=hour", &[]),
            (
                "/analytics/sales?by=week&currency=DOLLAR&from=x&to=y",
                &[
                    ("?by", "invalid_filter"),
                    ("?currency", "invalid_currency"),
                    ("?from", "invalid_filter"),
                    ("?to", "invalid_filter"),
                ],
            ),
            (
                "/analytics/products?sort=name&limit=0",
                &[("?sort", "invalid_filter"), ("?limit", "out_of_range")],
            ),
            ("/analytics/products?limit=101", &[("?limit", "out_of_range")]),
            ("/analytics/products?limit=100", &[]),
        ] {
            let answer = get(&service, path).await?;
            if expected.is_empty() {
                answer.expect(200).with_context(|| path.to_owned())?;
                continue;
            }
            let problem = answer.problem(400, "invalid_query").with_context(|| path.to_owned())?;
            let errors = problem.body["errors"].as_array().context("errors")?;
            let found: Vec<_> = errors
                .iter()
                .filter_map(|error| Some((error["pointer"].as_str()?, error["code"].as_str()?)))
                .collect();
            assert_eq!(found, expected, "{path}");
        }
        Ok(())
    })
}

/// What somebody has written past the service is no panic, and no wrong figure.
#[test]
fn figures_beyond_what_can_be_are_our_fault_and_no_panic() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        put(&service, bucket("day#USD#2026", "2026-11-23", &[("gross", i64::MAX)])).await?;
        put(&service, bucket("day#USD#2026", "2026-11-24", &[("gross", 1)])).await?;
        get(&service, "/analytics/sales?from=2026-11-24&to=2026-11-24").await?.expect(200)?;
        get(&service, "/analytics/sales?from=2026-11-23&to=2026-11-24").await?.problem(500, "internal")?;
        put(&service, bucket("units#USD#2026-11-24", "-no-id-", &[("units", 1)])).await?;
        get(&service, "/analytics/products?from=2026-11-24&to=2026-11-24").await?.problem(500, "internal")?;
        Ok(())
    })
}

#[test]
fn the_fixtures_are_answered() -> Result<()> {
    simulate(async {
        let service = berlin().await?;
        for fixture in ["get-sales", "get-product-sales"] {
            assert_eq!(service.invoke_fixture(fixture).await?["statusCode"], 200, "{fixture}");
        }
        let done = json!({ "batchItemFailures": [] });
        assert_eq!(service.invoke_fixture("record-sale").await?, done);
        assert_eq!(service.invoke_fixture("verify-sales").await?["complete"], true);
        Ok(())
    })
}
