//! `ReserveStockQueue` (order.created, order.cancelled). Reads and writes the products table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::reserve_stock::FUNCTION).await
}
