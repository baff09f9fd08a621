//! `GET /orders`: [`orders::list_orders`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::list_orders::FUNCTION).await
}
