//! `GET /monitor/dead-letters`: [`redrives::list_dead_letter_groups`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::list_dead_letter_groups::FUNCTION).await
}
