//! `POST /products`. Writes to the products table; reads it where an id is taken.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::create_product::FUNCTION).await
}
