//! `POST /orders/{id}/cancel`: reads and updates the orders table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::cancel_order::FUNCTION).await
}
