//! `GET /monitor/stories/{id}`: [`monitor::get_story`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(monitor::get_story::FUNCTION).await
}
