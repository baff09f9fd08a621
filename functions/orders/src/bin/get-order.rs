//! `GET /orders/{id}`: [`orders::get_order`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::get_order::FUNCTION).await
}
