//! `IndexProductsQueue`: `inventory.back_in_stock`, `inventory.sold_out`, `product.created`, `product.deleted`, `product.updated`: [`search::index_products`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(search::index_products::FUNCTION).await
}
