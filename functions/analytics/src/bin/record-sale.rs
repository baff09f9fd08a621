//! `RecordSaleQueue`: `order.cancelled`, `order.confirmed`: [`analytics::record_sale`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(analytics::record_sale::FUNCTION).await
}
