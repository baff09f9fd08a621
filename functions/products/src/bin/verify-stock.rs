//! Once a day, or by hand: verifies the products table against the orders table, and repairs it when told to.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::verify_stock::FUNCTION).await
}
