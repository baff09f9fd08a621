//! `RecordUserStatsQueue`: `order.cancelled`, `order.confirmed`: [`users::statistics::record_user_stats`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::statistics::record_user_stats::FUNCTION).await
}
