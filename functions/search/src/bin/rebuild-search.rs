//! `rate(1 day)`, or an operator: [`search::rebuild_search`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(search::rebuild_search::FUNCTION).await
}
