//! `GET /products`. Reads the products table and its index `catalogue`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::list_products::FUNCTION).await
}
