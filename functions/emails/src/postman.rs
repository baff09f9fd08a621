//! One mail's way to SES: read what it says and whom it is to, claim it, send it once, mark what became of it.
//!
//! - The claim is a conditional write of the next version: of any number of callers one sends, and what it began stands in
//!   the table before the call. Who dies then leaves `sending` behind, which nobody touches for ten minutes.
//! - What nobody knows is left as it is. SES's own word settles it, or after ten minutes of silence another attempt.
//! - The address is read for each attempt, and kept nowhere.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::StoreError;
use shop_events::{EmailTemplate, OrderStatus};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Random, StartError};
use shop_read_models::{Contacts, OrderDetail, OrderRecord, OrdersReadModel};
use shop_types::{EmailAddress, UserId};

use crate::email::{Email, Reason};
use crate::letter::{About, Letter, LetterError, OrderText};
use crate::mailer::{Mailer, Outcome};
use crate::settings::Settings;
use crate::store::{Saved, Store};

/// What came of trying to deliver a mail.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// There is nothing left to be done now, by whoever tried.
    Done,
    /// It was not sent, and is queued again.
    NotYet,
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
}

/// What is read of an order: what its mail says, and a guest's address. It must not be logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
struct OrderMail {
    #[serde(default)]
    customer_id: Option<UserId>,
    #[serde(default)]
    contact_email: Option<EmailAddress>,
    #[serde(flatten)]
    text: OrderText,
}

impl OrderDetail for OrderMail {
    const ATTRIBUTES: &'static [&'static str] =
        &["customer_id", "contact_email", "lines", "total", "tracking_number", "rejection"];
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
    orders: OrdersReadModel<OrderMail>,
    contacts: Contacts,
    random: Random,
}

impl Postman {
    /// With the tables that `EMAILS_TABLE`, `ORDERS_TABLE` and `USERS_TABLE` name, and [`Settings`].
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        let settings = Settings::start(environment)?;
        Ok(Self {
            store: Store::start(environment, client.clone())?,
            clock: environment.clock(),
            mailer: Mailer::start(environment, &settings),
            settings,
            orders: OrdersReadModel::start(environment, client.clone(), "ORDERS_TABLE")?,
            contacts: Contacts::start(environment, client, "USERS_TABLE")?,
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
            Ok(Outcome::NotNow(reason)) => (claimed.put_back(reason, now), Delivery::NotYet),
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
        let order = match &email.order_id {
            Some(id) => match self.orders.get(id.as_str()).await? {
                Some(order) if is_overtaken(email.template, &order) => {
                    return Ok(Decision::Skip(Reason::Overtaken));
                }
                Some(order) => Some(order),
                None => return Ok(Decision::Skip(Reason::Erased)),
            },
            None => None,
        };
        let user = match &order {
            Some(order) => order.detail.customer_id.as_ref(),
            None => email.user_id.as_ref(),
        };
        let (name, to) = match (user, &order) {
            (Some(user), _) => match self.contacts.of(user).await? {
                Some(contact) => (Some(contact.name), contact.email),
                None => return Ok(Decision::Skip(Reason::Erased)),
            },
            (None, Some(OrderRecord { detail: OrderMail { contact_email: Some(to), .. }, .. })) => {
                (None, to.clone())
            }
            (None, _) => return Ok(Decision::Skip(Reason::NoAddress)),
        };
        let about = order.as_ref().map(|order| About {
            id: &order.id,
            placed_at: order.placed_at,
            text: &order.detail.text,
        });
        let letter = Letter::write(&self.settings.shop, email.template, name.as_deref(), about)?;
        Ok(Decision::Send(letter, to))
    }
}

/// Whether an order has gone on so that a mail would say what is no longer so.
fn is_overtaken(template: EmailTemplate, order: &OrderRecord<OrderMail>) -> bool {
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
