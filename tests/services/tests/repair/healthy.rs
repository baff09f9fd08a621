//! A shop in which nothing was lost: nothing is found, at rest or at work.

use service_tests::simulate;

use super::*;

#[test]
fn a_healthy_shop_has_no_stalled_order_and_no_drift() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(1), &[]).await?;
        shop.cancel(&shop.confirmed().await?[..3]).await?;
        // In the midst of it, and when it is over, and after a while.
        for wait in [Duration::ZERO, Duration::from_secs(2), GRACE_PERIOD] {
            shop.service.pass(wait).await;
            for report in shop.verify(REPAIR).await? {
                assert_eq!(report["found"], 0, "{report}");
            }
            let swept = shop.service.invoke("sweep-orders", &json!({})).await?;
            assert_eq!((&swept["found"], &swept["failed"]), (&json!(0), &json!(0)), "{swept}");
        }
        let [stock, stats] = shop.verify("{}").await?;
        assert_eq!(stock["checked"], json!({"counters": 2, "reservations": 10, "orders": 10}));
        assert_eq!(stats["checked"]["orders"], 10);
        shop.nothing_is_found().await?;
        shop.agrees().await
    })
}

#[test]
fn a_busy_shop_is_never_found_wrong() -> Result<()> {
    for seed in 0..2 {
        simulate(verify_a_busy_shop(100 + seed)).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

async fn verify_a_busy_shop(seed: u64) -> Result<()> {
    let options = Options { deliver_twice: true, ..Options::simulated(seed) };
    let shop = Shop::start(options, &[]).await?;
    let is_over = AtomicBool::new(false);
    let work = async {
        for _ in 0..5 {
            let orders = shop.ten_orders().await?;
            // Some are cancelled when they have their stock, and some before.
            for order in orders.iter().step_by(2) {
                let path = format!("/orders/{order}/cancel");
                shop.service.send(Method::POST, &path, None).await?.expect_any(&[200, 409])?;
            }
            let stock = json!({"delta": 30});
            shop.service.send(Method::PATCH, "/products/cup/stock", Some(&stock)).await?.expect(200)?;
        }
        shop.service.settled().await?;
        is_over.store(true, Ordering::Relaxed);
        Ok(())
    };
    let checks = async {
        let mut not_judged = 0;
        while !is_over.load(Ordering::Relaxed) {
            for report in shop.verify(REPAIR).await? {
                ensure!(report["found"] == 0, "{report}");
                not_judged += report["not_judged"].as_u64().context("a count")?;
            }
            // So long that the shop gets on with its work, and so short that each order is met on its way.
            shop.service.pass(Duration::from_millis(50)).await;
        }
        Ok(not_judged)
    };
    let (worked, not_judged): (Result<()>, Result<u64>) = futures::join!(work, checks);
    worked?;
    ensure!(not_judged? > 0, "nothing was under way that could have been found");
    shop.service.pass(GRACE_PERIOD).await;
    shop.nothing_is_found().await?;
    shop.agrees().await
}
