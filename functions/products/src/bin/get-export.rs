//! `GET /exports/{id}`: [`products::exports::get_export`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::exports::get_export::FUNCTION).await
}
