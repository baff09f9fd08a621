//! `DELETE /products/{id}`. Reads and writes the products table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::delete_product::FUNCTION).await
}
