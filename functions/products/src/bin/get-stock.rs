//! `GET /products/{id}/stock`. Reads the products table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::get_stock::FUNCTION).await
}
