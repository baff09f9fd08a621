//! the stream of `OrdersTable`: [`orders::publish_order_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::publish_order_events::FUNCTION).await
}
