//! `POST /orders`: [`orders::create_order`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::create_order::FUNCTION).await
}
