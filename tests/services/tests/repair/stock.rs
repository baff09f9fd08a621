//! Stock and reservations that are not what the orders say: verify-stock.

use service_tests::simulate;
use shop_types::Timestamp;

use super::*;

#[test]
fn stock_that_cancelled_orders_hold_for_ever_is_released_when_told_to() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(6), &[NO_RELEASE]).await?;
        let confirmed = shop.confirmed().await?;
        shop.cancel(&confirmed[..2]).await?;
        shop.service.settled().await?;
        let [fresh, _] = shop.verify(REPAIR).await?;
        assert_eq!((&fresh["found"], &fresh["not_judged"]), (&json!(0), &json!(2)), "{fresh}");
        shop.service.pass(GRACE_PERIOD).await;

        let [report, stats] = shop.verify("{}").await?;
        assert_eq!((&report["found"], &report["repaired"]), (&json!(2), &json!(0)), "{report}");
        assert_eq!(stats["found"], 0, "{stats}");
        let drift = &report["drift"][0];
        assert_eq!((&drift["expected"], &drift["found"]), (&json!("released"), &json!("reserved")));
        assert_eq!((&drift["kind"], &drift["outcome"]), (&json!("reservation"), &json!("not_requested")));
        shop.agrees().await.expect_err("nothing is repaired that nobody asked for");

        shop.repairs_at_once("verify-stock", 2).await?;
        shop.agrees().await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.nothing_is_found().await
    })
}

#[test]
fn a_cancelled_order_without_an_entry_gets_a_tombstone() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(7), &[NO_STOCK, NO_STATISTICS]).await?;
        shop.cancel(&shop.orders).await?;
        shop.service.pass(GRACE_PERIOD).await;
        for report in shop.verify(REPAIR).await? {
            assert_eq!((&report["found"], &report["repaired"]), (&json!(10), &json!(10)), "{report}");
        }
        shop.agrees().await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.nothing_is_found().await
    })
}

#[test]
fn counters_and_statistics_that_somebody_spoilt_are_recomputed() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(9), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.spoil("ProductsTable", &["mug", "stock"], &[("reserved", number(7))]).await?;
        shop.spoil("ProductsTable", &["cup", "stock"], &[("available", number(3))]).await?;
        let user = shop.user().await?;
        shop.spoil("UsersTable", &[&user, "stats"], &[("orders_placed", number(9))]).await?;
        shop.agrees().await.expect_err("they are spoilt");

        shop.repairs_at_once("verify-stock", 2).await?;
        shop.repairs_at_once("verify-user-stats", 1).await?;
        shop.agrees().await?;
        shop.nothing_is_found().await
    })
}

#[test]
fn a_repair_does_not_take_a_counter_back_in_time() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(12), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        // Whoever changed it last has a clock that is ahead.
        let ahead = Timestamp::from_millis(shop.service.now()?.as_millis() + 5_000);
        let ahead = text(&ahead.to_string());
        let spoilt = [("available", number(3)), ("updated_at", ahead.clone())];
        shop.spoil("ProductsTable", &["cup", "stock"], &spoilt).await?;
        shop.repairs_at_once("verify-stock", 1).await?;
        let items = shop.service.items("ProductsTable").await?;
        let is_counter =
            |item: &&service_tests::Item| item["pk"] == text("cup") && item["sk"] == text("stock");
        let counter = items.iter().find(is_counter).context("the counter")?;
        assert_eq!(counter["updated_at"], ahead);
        shop.agrees().await
    })
}

#[test]
fn what_is_wrong_with_the_counter_does_not_keep_stock_from_being_released() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(10), &[NO_RELEASE]).await?;
        let confirmed = shop.confirmed().await?;
        shop.cancel(&confirmed).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.spoil(
            "ProductsTable",
            &["mug", "stock"],
            &[("reserved", number(0)), ("available", number(100))],
        )
        .await?;
        shop.repairs_at_once("verify-stock", 6).await?;
        shop.agrees().await
    })
}

#[test]
fn what_cannot_be_told_from_the_books_is_reported_and_left_alone() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(11), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        let total = [("total", number(1)), ("available", number(1)), ("reserved", number(0))];
        shop.spoil("ProductsTable", &["mug", "stock"], &total).await?;
        let [report, _] = shop.verify(REPAIR).await?;
        assert_eq!((&report["found"], &report["repaired"]), (&json!(1), &json!(0)), "{report}");
        assert_eq!(report["drift"][0]["outcome"], "none");
        Ok(())
    })
}
