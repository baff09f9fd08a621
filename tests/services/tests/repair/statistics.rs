//! Statistics that are not what the orders say: verify-user-stats.

use service_tests::simulate;

use super::*;

#[test]
fn orders_that_the_statistics_missed_are_counted_and_taken_off() -> Result<()> {
    simulate(async {
        let shop = Shop::start(Options::simulated(8), &[NO_STATISTICS]).await?;
        let confirmed = shop.confirmed().await?;
        assert_eq!(confirmed.len(), 5);
        shop.service.pass(GRACE_PERIOD).await;
        shop.repairs_at_once("verify-user-stats", 5).await?;
        shop.agrees().await?;

        shop.cancel(&confirmed[..2]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.repairs_at_once("verify-user-stats", 2).await?;
        shop.agrees().await?;
        shop.service.pass(GRACE_PERIOD).await;
        shop.nothing_is_found().await
    })
}
