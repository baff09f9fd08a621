//! `PATCH /products/{id}/stock`. Reads and writes the products table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::set_stock::FUNCTION).await
}
