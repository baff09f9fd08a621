//! Every five minutes: looks for pending orders in the orders table's index, and updates those that are stalled.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::sweep_orders::FUNCTION).await
}
