//! Items that are not what their keys say: both verifications tell of them, and go on with the rest.

use service_tests::simulate;

use super::*;

/// The subjects of what a report says cannot be read.
fn unreadable(report: &Value) -> Vec<&str> {
    let drift = report["drift"].as_array().into_iter().flatten();
    let unreadable = drift.filter(|drift| drift["kind"] == "unreadable_item" && drift["outcome"] == "none");
    unreadable.filter_map(|drift| drift["subject"].as_str()).collect()
}

#[test]
fn a_reservation_that_cannot_be_read_does_not_hide_the_others() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(20), &[NO_RELEASE]).await?;
        let [first, second, ..] = &shop.confirmed().await?[..] else { anyhow::bail!("two are confirmed") };
        shop.cancel(&[first.clone(), second.clone()]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.spoil("ProductsTable", &[first, "reservation"], &[("status", text("lost"))]).await?;
        let before = Books::read(&shop.service).await?.reserved("cup")?;

        let [report, stats] = shop.verify("{}").await?;
        assert_eq!(unreadable(&report), [format!("{first} reservation")]);
        assert_eq!(stats["found"], 0, "{stats}");
        // Nobody knows what the first holds, so its products' counters are told of, and stay as they are.
        let [report, _] = shop.verify(REPAIR).await?;
        assert_eq!((&report["repaired"], &report["not_judged"]), (&json!(1), &json!(1)), "{report}");
        let drift = report["drift"].as_array().context("a list")?;
        let counters: Vec<_> = drift.iter().filter(|drift| drift["kind"] == "stock_counter").collect();
        assert_eq!(counters.len(), 2, "{report}");
        assert!(counters.iter().all(|drift| drift["outcome"] == "none"), "{report}");
        let released = drift.iter().find(|drift| drift["kind"] == "reservation").context("a release")?;
        assert_eq!((&released["subject"], &released["repaired"]), (&json!(second), &json!(true)));
        shop.service.settled().await?;
        assert_eq!(Books::read(&shop.service).await?.reserved("cup")?, before - 1);

        // Somebody has looked into it.
        shop.spoil("ProductsTable", &[first, "reservation"], &[("status", text("reserved"))]).await?;
        shop.repairs_at_once("verify-stock", 1).await?;
        shop.agrees().await
    })
}

#[test]
fn a_counter_that_cannot_be_read_is_told_and_no_other_is_put_right_meanwhile() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(21), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.spoil("ProductsTable", &["mug", "stock"], &[("reserved", text("many"))]).await?;
        shop.spoil("ProductsTable", &["cup", "stock"], &[("available", number(3))]).await?;
        let [report, _] = shop.verify(REPAIR).await?;
        assert_eq!(unreadable(&report), ["mug stock"]);
        assert_eq!((&report["found"], &report["repaired"]), (&json!(2), &json!(0)), "{report}");
        Ok(())
    })
}

#[test]
fn an_entry_that_cannot_be_read_does_not_hide_other_users_or_orders() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(22), &[NO_STATISTICS]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.repairs_at_once("verify-user-stats", 5).await?;
        let [first, second, ..] = &shop.confirmed().await?[..] else { anyhow::bail!("two are confirmed") };
        shop.cancel(&[first.clone(), second.clone()]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        let user = shop.user().await?;
        let entry = format!("order#{first}");
        shop.spoil("UsersTable", &[&user, &entry], &[("state", text("lost"))]).await?;

        let [stock, report] = shop.verify(REPAIR).await?;
        assert_eq!(stock["found"], 0, "{stock}");
        assert_eq!(unreadable(&report), [format!("{user} {entry}")]);
        // The user's sums, and the entry itself.
        assert_eq!((&report["repaired"], &report["not_judged"]), (&json!(1), &json!(2)), "{report}");

        shop.spoil("UsersTable", &[&user, &entry], &[("state", text("counted"))]).await?;
        shop.repairs_at_once("verify-user-stats", 1).await?;
        shop.agrees().await
    })
}

#[test]
fn an_order_that_cannot_be_read_is_told_by_both() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(23), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        let order = shop.orders[0].as_str();
        shop.spoil("OrdersTable", &[order], &[("status", text("lost"))]).await?;
        for report in shop.verify(REPAIR).await? {
            assert_eq!(unreadable(&report), [order]);
            assert_eq!((&report["found"], &report["not_judged"]), (&json!(1), &json!(0)), "{report}");
        }
        Ok(())
    })
}
