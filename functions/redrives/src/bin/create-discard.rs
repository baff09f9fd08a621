//! `POST /monitor/discards`: [`redrives::create_discard`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::create_discard::FUNCTION).await
}
