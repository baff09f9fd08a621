//! What a mail says, read from the order or the account that it is about, as that is at the moment.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::StoreError;
use shop_events::EmailTemplate;
use shop_lambda::{Environment, StartError};
use shop_read_models::{Contact, Contacts, OrderDetail, OrderRecord, OrdersReadModel};
use shop_types::{EmailAddress, OrderId, UserId};

use crate::letter::{About, Letter, LetterError, Matter, OrderText};
use crate::settings::Shop;

/// What is read of an order: what its mail says, and a guest's address. It must not be logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct OrderMail {
    #[serde(default)]
    pub(crate) customer_id: Option<UserId>,
    #[serde(default)]
    pub(crate) contact_email: Option<EmailAddress>,
    #[serde(flatten)]
    text: OrderText,
}

impl OrderDetail for OrderMail {
    const ATTRIBUTES: &'static [&'static str] =
        &["customer_id", "contact_email", "lines", "total", "tracking_number", "rejection"];
}

/// An order, as its mails need it.
pub(crate) type Order = OrderRecord<OrderMail>;

/// Writes mails.
pub(crate) struct Writer {
    shop: Shop,
    orders: OrdersReadModel<OrderMail>,
    contacts: Contacts,
}

impl Writer {
    /// With the tables that `ORDERS_TABLE` and `USERS_TABLE` name.
    pub(crate) fn start(environment: &Environment, client: Client, shop: Shop) -> Result<Self, StartError> {
        Ok(Self {
            shop,
            orders: OrdersReadModel::start(environment, client.clone(), "ORDERS_TABLE")?,
            contacts: Contacts::start(environment, client, "USERS_TABLE")?,
        })
    }

    /// An order as it is now; none where it is no more.
    pub(crate) async fn order(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.orders.get(id.as_str()).await
    }

    /// Somebody's name and address as they are now; none where the account was deleted.
    pub(crate) async fn contact(&self, user: &UserId) -> Result<Option<Contact>, StoreError> {
        self.contacts.of(user).await
    }

    /// The mail about an order, to somebody of a name, or to a guest.
    pub(crate) fn about_order(
        &self,
        template: EmailTemplate,
        order: &Order,
        name: Option<&str>,
    ) -> Result<Letter, LetterError> {
        let about = About { id: &order.id, placed_at: order.placed_at, text: &order.detail.text };
        Letter::write(&self.shop, template, name, Matter::Order(about))
    }

    /// The mail about an account, with the token that it proves something by.
    pub(crate) fn about_account(
        &self,
        template: EmailTemplate,
        contact: &Contact,
        token: Option<&str>,
    ) -> Result<Letter, LetterError> {
        Letter::write(&self.shop, template, Some(&contact.name), Matter::Account { token })
    }
}
