//! `NoteEmailFeedbackQueue`: what a service of AWS says: [`emails::note_email_feedback`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::note_email_feedback::FUNCTION).await
}
