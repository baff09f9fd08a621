//! `GET /openapi.json`: [`api::get_openapi`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(api::get_openapi::FUNCTION).await
}
