//! `JournalQueue`: every event, and receipts: [`monitor::journal_event`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(monitor::journal_event::FUNCTION).await
}
