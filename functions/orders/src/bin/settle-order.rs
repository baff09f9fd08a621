//! Queue of `inventory.reserved` and `inventory.rejected`: updates the orders table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::settle_order::FUNCTION).await
}
