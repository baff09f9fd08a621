//! `rate(5 minutes)`, or an operator: [`orders::sweep_orders`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::sweep_orders::FUNCTION).await
}
