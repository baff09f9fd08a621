//! Orders that nobody heard of, or that heard nothing: the sweeper drives them on.

use std::collections::BTreeSet;

use service_tests::simulate;

use super::*;

/// As long as an order may take to be final after what was broken is mended.
const DEADLINE: Duration = Duration::from_mins(15);

/// Holds that what was broken a moment ago leaves nothing behind: five orders have their cup, and the books agree.
async fn all_are_final_in_time(shop: &Shop) -> Result<()> {
    shop.service.pass(DEADLINE).await;
    let books = Books::read(&shop.service).await?;
    assert_eq!(books.statuses()?, [("confirmed".to_owned(), 5), ("rejected".to_owned(), 5)].into());
    books.agree()?;
    shop.service.pass(GRACE_PERIOD).await;
    shop.nothing_is_found().await
}

#[test]
fn orders_whose_creation_nobody_heard_of_are_final_in_time() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-order-events");
        let shop = Shop::start(loss.options(2), &[]).await?;
        // As long as this goes on, each sweep re-emits them, and that is lost as well.
        shop.service.pass(Duration::from_hours(2)).await;
        assert_eq!(Books::read(&shop.service).await?.statuses()?, [("pending".to_owned(), 10)].into());
        loss.end();
        all_are_final_in_time(&shop).await
    })
}

#[test]
fn orders_that_did_not_hear_of_their_stock_are_told_again_by_the_same_events() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-product-events");
        let shop = Shop::start(loss.options(3), &[]).await?;
        let before = Books::read(&shop.service).await?.statuses()?;
        assert_eq!(before, [("pending".to_owned(), 10)].into());
        // It is told once more while that is lost, too.
        shop.service.pass(Duration::from_mins(11)).await;
        loss.end();
        all_are_final_in_time(&shop).await
    })
}

#[test]
fn what_is_told_once_more_stands_for_the_same_content() -> Result<()> {
    simulate(async {
        // Without its consumer, the queue keeps what settle-order would get.
        let functions: Vec<_> =
            services::functions().into_iter().filter(|function| function.name() != "settle-order").collect();
        let shop = Shop::of(&functions, Options::simulated(4), &[]).await?;
        shop.service.pass(Duration::from_mins(31)).await;
        let events = shop.service.take_events("SettleOrderQueue").await?;
        let published = events.iter().map(|event| Ok((event.id().to_string(), event.to_json()?)));
        let published = published.collect::<Result<Vec<_>>>()?;
        let distinct: BTreeSet<_> = published.iter().collect();
        let ids: BTreeSet<_> = published.iter().map(|(id, _)| id).collect();
        assert_eq!((ids.len(), distinct.len()), (10, 10));
        // At first, and by a re-emit after five minutes, ten and twenty.
        assert!(published.len() >= 40, "published {} times", published.len());
        Ok(())
    })
}

#[test]
fn two_sweeps_at_once_re_emit_once_and_one_that_is_repeated_not_at_all() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-order-events");
        // No schedule comes between.
        let no_schedule = [("Schedule: rate(5 minutes)", "Schedule: rate(7 days)")];
        let shop = Shop::start(loss.options(5), &no_schedule).await?;
        shop.service.pass(Duration::from_mins(4)).await;
        let swept = shop.service.invoke("sweep-orders", &json!({})).await?;
        assert_eq!((&swept["pending"], &swept["found"]), (&json!(10), &json!(0)));
        shop.service.pass(Duration::from_mins(2)).await;
        let payload = json!({});
        let sweeps = (0..3).map(|_| shop.service.invoke("sweep-orders", &payload));
        let sweeps = try_join_all(sweeps).await?;
        let sum = |name: &str| sweeps.iter().filter_map(|swept| swept[name].as_u64()).sum::<u64>();
        // A sweep that reads an order after another has re-emitted it does not find it stalled.
        assert_eq!((sum("re_emitted"), sum("failed")), (10, 0));
        assert_eq!(sum("found"), sum("re_emitted") + sum("skipped"));
        assert!(sum("skipped") > 0, "no two sweeps met: {sweeps:?}");
        let again = shop.service.invoke("sweep-orders", &json!({})).await?;
        assert_eq!((&again["pending"], &again["found"]), (&json!(10), &json!(0)));
        Ok(())
    })
}
