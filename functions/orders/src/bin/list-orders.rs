//! `GET /orders`: queries the indexes of the orders table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::list_orders::FUNCTION).await
}
