//! `POST /orders/{id}/cancel`: [`orders::cancel_order`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::cancel_order::FUNCTION).await
}
