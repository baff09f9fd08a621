//! `RaiseAlertQueue`: `inventory.back_in_stock`, `inventory.closed`, `inventory.low`, `inventory.replenished`, `inventory.sold_out`: [`notifications::raise_alert`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(notifications::raise_alert::FUNCTION).await
}
