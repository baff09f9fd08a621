//! The call of SES, once for each attempt, and what its answer means.
//!
//! SES knows no idempotency: a message that is sent twice arrives twice. So the SDK's retries are off for this client, and
//! an answer that did not come is not taken for a failure.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use shop_lambda::Environment;
use shop_types::EmailAddress;

use crate::email::{Email, Reason};
use crate::feedback::{ATTEMPT_TAG, EMAIL_TAG};
use crate::letter::Letter;
use crate::settings::Settings;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// SES has taken the message, and calls it this.
    Accepted(String),
    /// SES will never take it.
    Refused(Reason),
    /// SES did not take it now.
    NotNow(Reason),
    /// Nobody knows. What SES tells of the message will say; if it tells nothing, it has not taken it.
    Uncertain,
}

pub(crate) struct Mailer {
    client: Client,
    from: Option<String>,
    configuration_set: Option<String>,
}

impl Mailer {
    pub(crate) fn start(environment: &Environment, settings: &Settings) -> Self {
        let config = Builder::from(environment.sdk_config()).retry_config(RetryConfig::disabled()).build();
        Self {
            client: Client::from_conf(config),
            from: settings.from.clone(),
            configuration_set: settings.configuration_set.clone(),
        }
    }

    /// Sends a mail that was claimed, to an address.
    ///
    /// # Errors
    /// The message cannot be written. Nothing was sent.
    pub(crate) async fn send(
        &self,
        email: &Email,
        letter: Letter,
        to: &EmailAddress,
    ) -> Result<Outcome, BuildError> {
        let tags = [(EMAIL_TAG, email.id.to_string()), (ATTEMPT_TAG, email.attempt.to_string())];
        let tags = tags.map(|(name, value)| MessageTag::builder().name(name).value(value).build());
        let call = self
            .client
            .send_email()
            .set_from_email_address(self.from.clone())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message(letter)?).build())
            .set_email_tags(Some(tags.into_iter().collect::<Result<_, _>>()?))
            .set_configuration_set_name(self.configuration_set.clone());
        Ok(match call.send().await {
            Ok(answer) => Outcome::Accepted(answer.message_id.unwrap_or_default()),
            Err(error) => {
                let outcome = outcome(&error, to);
                // The code only: the text of a refusal quotes addresses.
                let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
                tracing::warn!(
                    email.id = %email.id, email.attempt = email.attempt, failure.code = code, ?outcome,
                    "SES has not taken a mail"
                );
                outcome
            }
        })
    }
}

fn message(letter: Letter) -> Result<Message, BuildError> {
    let text = |data: String| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder().text(text(letter.text)?).html(text(letter.html)?).build();
    // Nobody's absence is to be answered to a machine (RFC 3834 section 5).
    let header = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build()?;
    Ok(Message::builder().subject(text(letter.subject)?).body(body).headers(header).build())
}

/// What an answer means that is no success.
fn outcome<R>(error: &SdkError<SendEmailError, R>, to: &EmailAddress) -> Outcome
where
    R: HttpStatus,
{
    let service = match error {
        SdkError::ServiceError(service) if service.raw().status() < 500 => service.err(),
        SdkError::ConstructionFailure(_) => return Outcome::NotNow(Reason::NotAllowed),
        _ => return Outcome::Uncertain,
    };
    match service {
        SendEmailError::MessageRejected(rejected) => match unverified(rejected.message(), to) {
            Some(reason @ Reason::SenderNotVerified) => Outcome::NotNow(reason),
            Some(reason) => Outcome::Refused(reason),
            None => Outcome::Refused(Reason::Rejected),
        },
        SendEmailError::BadRequestException(_) => Outcome::Refused(Reason::Rejected),
        SendEmailError::AccountSuspendedException(_) | SendEmailError::SendingPausedException(_) => {
            Outcome::NotNow(Reason::Suspended)
        }
        SendEmailError::MailFromDomainNotVerifiedException(_) => Outcome::NotNow(Reason::SenderNotVerified),
        SendEmailError::TooManyRequestsException(_) | SendEmailError::LimitExceededException(_) => {
            Outcome::NotNow(Reason::Throttled)
        }
        // The configuration set, or the permission: somebody has to put it right.
        _ => Outcome::NotNow(Reason::NotAllowed),
    }
}

/// SES says of a sender that is not verified what it says of a message that it does not want, and of a recipient in the
/// sandbox too: which identities it means stands behind the colon
/// (<https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html>).
fn unverified(message: Option<&str>, to: &EmailAddress) -> Option<Reason> {
    let message = message.filter(|message| message.contains("not verified"))?;
    let identities = message.rsplit_once(": ").map(|(_, identities)| identities).unwrap_or_default();
    let mut identities = identities.split(',').map(str::trim);
    let is_recipient = |identity: &str| identity.eq_ignore_ascii_case(to.as_str());
    Some(if identities.all(is_recipient) { Reason::RecipientNotVerified } else { Reason::SenderNotVerified })
}

/// What is asked of an answer as it came.
trait HttpStatus {
    fn status(&self) -> u16;
}

impl HttpStatus for aws_sdk_sesv2::config::http::HttpResponse {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::types::error::{
        BadRequestException, MessageRejected, SendingPausedException, TooManyRequestsException,
    };

    use super::*;

    impl HttpStatus for u16 {
        fn status(&self) -> u16 {
            *self
        }
    }

    fn meaning(error: SendEmailError, status: u16) -> Outcome {
        outcome(&SdkError::service_error(error, status), &"ada@example.com".parse().unwrap())
    }

    fn rejected(message: &str) -> SendEmailError {
        SendEmailError::MessageRejected(MessageRejected::builder().message(message).build())
    }

    #[test]
    fn only_what_ses_says_for_certain_is_taken_for_certain() {
        let throttled =
            || SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().build());
        let paused = SendEmailError::SendingPausedException(SendingPausedException::builder().build());
        let bad = SendEmailError::BadRequestException(BadRequestException::builder().build());
        assert_eq!(meaning(throttled(), 429), Outcome::NotNow(Reason::Throttled));
        assert_eq!(meaning(paused, 400), Outcome::NotNow(Reason::Suspended));
        assert_eq!(meaning(bad, 400), Outcome::Refused(Reason::Rejected));
        assert_eq!(meaning(throttled(), 503), Outcome::Uncertain);
        let to = "ada@example.com".parse().unwrap();
        let timeout = SdkError::<SendEmailError, u16>::timeout_error("3 s");
        assert_eq!(outcome(&timeout, &to), Outcome::Uncertain);
        let answer = SdkError::<SendEmailError, u16>::response_error("no JSON", 200);
        assert_eq!(outcome(&answer, &to), Outcome::Uncertain);
    }

    #[test]
    fn a_sender_that_is_not_verified_is_told_from_a_mail_that_is_not_wanted() {
        let failed =
            "Email address is not verified. The following identities failed the check in region EU-WEST-1";
        for (message, outcome) in [
            ("Email address is on a blocklist.".to_owned(), Outcome::Refused(Reason::Rejected)),
            (format!("{failed}: mail@shop.example"), Outcome::NotNow(Reason::SenderNotVerified)),
            (
                format!("{failed}: ada@example.com, mail@shop.example"),
                Outcome::NotNow(Reason::SenderNotVerified),
            ),
            (format!("{failed}: Ada@example.com"), Outcome::Refused(Reason::RecipientNotVerified)),
            ("Email address is not verified.".to_owned(), Outcome::NotNow(Reason::SenderNotVerified)),
        ] {
            assert_eq!(meaning(rejected(&message), 400), outcome, "{message}");
        }
    }
}
