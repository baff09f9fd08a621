//! Stream of the orders table: publishes its events to the topic; parks what cannot be one in a queue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::publish_order_events::FUNCTION).await
}
