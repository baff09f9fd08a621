//! One mail's way to SES: read what it says and whom it is to, claim it, send it once, mark what became of it.
//!
//! - The claim is a conditional write of the next version: of any number of callers one sends, and what it began stands in
//!   the table before the call. Who dies then leaves `sending` behind, which nobody touches for ten minutes.
//! - What nobody knows is left as it is. SES's own word settles it, or after ten minutes of silence another attempt.
//! - The address is read for each attempt, and kept nowhere.

use aws_sdk_dynamodb::Client;
use shop_auth::{KeyTableError, MailTokenKey, NoMailTokenKey, Purpose, ServiceSecret};
use shop_dynamo::StoreError;
use shop_events::{EmailTemplate, OrderStatus};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Random, StartError};
use shop_types::EmailAddress;

use crate::email::{Email, Reason};
use crate::letter::{Letter, LetterError};
use crate::mailer::{Mailer, Outcome};
use crate::settings::Settings;
use crate::store::{Saved, Store};
use crate::writer::{Order, Writer};

/// What came of trying to deliver a mail.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// There is nothing left to be done now, by whoever tried.
    Done,
    /// It was not sent, and is queued again: why.
    NotYet(Reason),
    /// Somebody else has changed it meanwhile: it is this now.
    Outrun(Box<Email>),
}

/// A mail was not delivered; whether it is claimed is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the mail cannot be written")]
    Letter(#[from] LetterError),
    #[error("no token can be made")]
    Secret(#[from] KeyTableError),
    #[error("no token can be made")]
    Key(#[from] NoMailTokenKey),
}

/// What a mail comes to at the moment.
enum Decision {
    Skip(Reason),
    Send(Letter, EmailAddress),
}

pub(crate) struct Postman {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    settings: Settings,
    mailer: Mailer,
    writer: Writer,
    /// What the tokens' key derives from.
    secret: ServiceSecret,
    random: Random,
}

impl Postman {
    /// With the tables that `EMAILS_TABLE`, `ORDERS_TABLE`, `USERS_TABLE` and `MAIL_KEYS_TABLE` name, and [`Settings`].
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        let settings = Settings::start(environment)?;
        Ok(Self {
            store: Store::start(environment, client.clone())?,
            clock: environment.clock(),
            mailer: Mailer::start(environment, &settings),
            writer: Writer::start(environment, client.clone(), settings.shop.clone())?,
            settings,
            secret: ServiceSecret::new(
                client,
                environment.required("MAIL_KEYS_TABLE")?,
                environment.random(),
            ),
            random: environment.random(),
        })
    }

    /// Delivers a mail that is open, as it was read, or is not stored yet.
    ///
    /// # Errors
    /// See [`DeliveryError`]. What was claimed is looked after by resend-emails.
    pub(crate) async fn deliver(&self, email: &Email) -> Result<Delivery, DeliveryError> {
        let (letter, to) = match self.decide(email).await? {
            Decision::Skip(reason) => {
                let skipped = email.skipped(reason, self.clock.now());
                return Ok(self.store.save(email, &skipped).await?.into());
            }
            Decision::Send(letter, to) => (letter, to),
        };
        let claimed = email.claimed(self.random.unique(), self.clock.now());
        if let Saved::Outrun(current) = self.store.save(email, &claimed).await? {
            return Ok(Delivery::Outrun(current));
        }
        let outcome = self.mailer.send(&claimed, letter, &to).await;
        let now = self.clock.now();
        let (after, delivery) = match outcome {
            Ok(Outcome::Accepted(message_id)) => (claimed.sent(message_id, now), Delivery::Done),
            Ok(Outcome::Refused(reason)) => (claimed.failed(reason, now), Delivery::Done),
            Ok(Outcome::NotNow(reason)) => (claimed.put_back(reason, now), Delivery::NotYet(reason)),
            Ok(Outcome::Uncertain) => return Ok(Delivery::Done),
            Err(error) => {
                tracing::error!(email.id = %email.id, error = %Chain(&error), "a message cannot be written");
                (claimed.failed(Reason::Rejected, now), Delivery::Done)
            }
        };
        match self.store.save(&claimed, &after).await {
            // SES's word was faster.
            Ok(Saved::Done | Saved::Outrun(_)) => {}
            // It stands as `sending`, and is looked after as such.
            Err(error) => {
                tracing::warn!(email.id = %email.id, error = %Chain(&error), "a mail's end is not marked");
            }
        }
        Ok(delivery)
    }

    /// What the mail says and whom it is to, or why there is none.
    async fn decide(&self, email: &Email) -> Result<Decision, DeliveryError> {
        if let Some(reason) = self.settings.leaves_out(email.template) {
            return Ok(Decision::Skip(reason));
        }
        let Some(id) = &email.order_id else { return self.decide_of_account(email).await };
        let Some(order) = self.writer.order(id).await? else {
            return Ok(Decision::Skip(Reason::Erased));
        };
        if is_overtaken(email.template, &order) {
            return Ok(Decision::Skip(Reason::Overtaken));
        }
        let (name, to) = match (&order.detail.customer_id, &order.detail.contact_email) {
            (Some(user), _) => match self.writer.contact(user).await? {
                Some(contact) => (Some(contact.name), contact.email),
                None => return Ok(Decision::Skip(Reason::Erased)),
            },
            (None, Some(to)) => (None, to.clone()),
            (None, None) => return Ok(Decision::Skip(Reason::NoAddress)),
        };
        let letter = self.writer.about_order(email.template, &order, name.as_deref())?;
        Ok(Decision::Send(letter, to))
    }

    /// The same of a mail about somebody's account.
    async fn decide_of_account(&self, email: &Email) -> Result<Decision, DeliveryError> {
        let Some(user) = &email.user_id else { return Ok(Decision::Skip(Reason::NoAddress)) };
        let Some(contact) = self.writer.contact(user).await? else {
            return Ok(Decision::Skip(Reason::Erased));
        };
        let asked_at = email.asked_at.unwrap_or(email.created_at);
        let purpose = match email.template {
            EmailTemplate::PasswordReset => {
                Purpose::ResetPassword { epoch: contact.session_epoch, request: asked_at.as_millis() }
            }
            _ => Purpose::ConfirmEmail(&contact.email),
        };
        let key = MailTokenKey::from_secret(&self.secret.get_or_make().await?)?;
        let token = key.issue(user.clone(), purpose, asked_at);
        let is_needed = match email.template {
            EmailTemplate::PasswordReset => true,
            _ => !contact.is_confirmed,
        };
        let is_good = is_needed && !token.has_expired(self.clock.now());
        // A welcome is one all the same; the others are about nothing else.
        if !is_good && email.template != EmailTemplate::Welcome {
            return Ok(Decision::Skip(Reason::Overtaken));
        }
        let token = is_good.then(|| token.reveal());
        let letter = self.writer.about_account(email.template, &contact, token.as_deref())?;
        Ok(Decision::Send(letter, contact.email))
    }
}

/// Whether an order has gone on so that a mail would say what is no longer so.
fn is_overtaken(template: EmailTemplate, order: &Order) -> bool {
    template == EmailTemplate::OrderConfirmation && order.status == OrderStatus::Cancelled
}

impl From<Saved> for Delivery {
    fn from(saved: Saved) -> Self {
        match saved {
            Saved::Done => Self::Done,
            Saved::Outrun(current) => Self::Outrun(current),
        }
    }
}
