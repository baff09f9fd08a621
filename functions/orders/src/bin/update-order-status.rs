//! `PATCH /orders/{id}/status`: [`orders::update_order_status`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::update_order_status::FUNCTION).await
}
