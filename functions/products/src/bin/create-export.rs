//! `POST /exports`: [`products::exports::create_export`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::exports::create_export::FUNCTION).await
}
