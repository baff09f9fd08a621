//! `ReserveStockQueue`: `order.cancelled`, `order.created`, `order.stalled`: [`products::reserve_stock`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::reserve_stock::FUNCTION).await
}
