//! `DELETE /products/{id}`: [`products::delete_product`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::delete_product::FUNCTION).await
}
