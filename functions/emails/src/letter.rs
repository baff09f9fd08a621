//! A mail's text: what is said to whom, rendered by the templates in `templates/`. Pure.
//!
//! Each mail has two parts, of two templates: HTML in one layout, with styles inlined, since mail programs drop all
//! others; and plain text for who reads no HTML. What people wrote is escaped in the one, and of what directs how the
//! text around it is shown nothing comes into either.

use askama::Template;
use serde::Deserialize;
use shop_events::{EmailTemplate, OrderLine, RejectionReason, Shortage};
use shop_types::{AmountError, Money, OrderId, Timestamp};

use crate::settings::Shop;

/// A mail as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Why a mail cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    #[error("a template cannot be rendered")]
    Template(#[from] askama::Error),
    #[error("the total of a line is out of range")]
    Amount(#[from] AmountError),
    #[error("there is nothing that the mail could be about")]
    NoSubject,
}

/// What is read of an order for its mails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct OrderText {
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) total: Money,
    #[serde(default)]
    pub(crate) tracking_number: Option<String>,
    #[serde(default)]
    pub(crate) rejection: Option<Rejection>,
}

/// Why an order could not be had, as it is stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Rejection {
    pub(crate) reason: RejectionReason,
    pub(crate) shortages: Vec<Shortage>,
}

/// A line of an order, as a mail shows it.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    name: String,
    quantity: u32,
    price: String,
    total: String,
    /// How many there were, where that was not enough.
    available: Option<u64>,
}

/// What the templates show.
#[derive(Debug)]
struct Content<'a> {
    shop: &'a Shop,
    subject: &'a str,
    /// The name of whom it is to; none for a guest.
    name: Option<String>,
    order: &'a str,
    placed_at: String,
    lines: Vec<Line>,
    total: String,
    tracking_number: Option<String>,
    /// What the mail proves, where it proves something.
    token: Option<String>,
}

macro_rules! parts {
    ($($html:ident = $html_path:literal, $text:ident = $text_path:literal;)+) => {
        $(
            #[derive(Template)]
            #[template(path = $html_path)]
            struct $html<'a> { it: &'a Content<'a> }

            #[derive(Template)]
            #[template(path = $text_path)]
            struct $text<'a> { it: &'a Content<'a> }
        )+
    };
}

parts! {
    ConfirmationHtml = "order_confirmation.html", ConfirmationText = "order_confirmation.txt";
    RejectionHtml = "order_rejection.html", RejectionText = "order_rejection.txt";
    CancellationHtml = "order_cancellation.html", CancellationText = "order_cancellation.txt";
    ShipmentHtml = "order_shipment.html", ShipmentText = "order_shipment.txt";
    WelcomeHtml = "welcome.html", WelcomeText = "welcome.txt";
    EmailConfirmationHtml = "email_confirmation.html", EmailConfirmationText = "email_confirmation.txt";
    PasswordResetHtml = "password_reset.html", PasswordResetText = "password_reset.txt";
}

/// What a mail is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Matter<'a> {
    Order(About<'a>),
    /// An account, and the token that its mail proves something by, if it still is to.
    Account {
        token: Option<&'a str>,
    },
}

/// The order that a mail is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) id: &'a OrderId,
    pub(crate) placed_at: Timestamp,
    pub(crate) text: &'a OrderText,
}

impl Letter {
    /// The mail of a template to somebody.
    pub(crate) fn write(
        shop: &Shop,
        template: EmailTemplate,
        name: Option<&str>,
        matter: Matter<'_>,
    ) -> Result<Self, LetterError> {
        let (order, token) = match matter {
            Matter::Order(order) => (Some(order), None),
            Matter::Account { token } => (None, token),
        };
        let subject = subject(shop, template, order.map(|order| order.id));
        let mut content = Content {
            shop,
            subject: &subject,
            name: name.map(visible).filter(|name| !name.is_empty()),
            order: order.map_or("", |order| order.id.as_str()),
            placed_at: String::new(),
            lines: Vec::new(),
            total: String::new(),
            tracking_number: None,
            token: token.map(str::to_owned),
        };
        match order {
            Some(order) => content.add(order)?,
            None if !is_of_account(template) => return Err(LetterError::NoSubject),
            None => {}
        }
        let it = &content;
        let (html, text) = match template {
            EmailTemplate::OrderConfirmation => {
                (ConfirmationHtml { it }.render()?, ConfirmationText { it }.render()?)
            }
            EmailTemplate::OrderRejection => (RejectionHtml { it }.render()?, RejectionText { it }.render()?),
            EmailTemplate::OrderCancellation => {
                (CancellationHtml { it }.render()?, CancellationText { it }.render()?)
            }
            EmailTemplate::OrderShipment => (ShipmentHtml { it }.render()?, ShipmentText { it }.render()?),
            EmailTemplate::Welcome => (WelcomeHtml { it }.render()?, WelcomeText { it }.render()?),
            EmailTemplate::EmailConfirmation => {
                (EmailConfirmationHtml { it }.render()?, EmailConfirmationText { it }.render()?)
            }
            EmailTemplate::PasswordReset => {
                (PasswordResetHtml { it }.render()?, PasswordResetText { it }.render()?)
            }
        };
        Ok(Self { subject, text, html })
    }
}

impl Content<'_> {
    fn add(&mut self, order: About<'_>) -> Result<(), LetterError> {
        let currency = order.text.total.currency;
        let shortages = order.text.rejection.iter().flat_map(|rejection| &rejection.shortages);
        let shortages: Vec<_> = shortages.collect();
        for line in &order.text.lines {
            let price = Money { minor: line.unit_price, currency };
            let shortage = shortages.iter().find(|shortage| shortage.product_id == line.product_id);
            self.lines.push(Line {
                name: visible(&line.name),
                quantity: line.quantity,
                price: amount(price),
                total: amount(price.checked_mul(line.quantity)?),
                available: shortage.map(|shortage| shortage.available),
            });
        }
        self.total = amount(order.text.total);
        self.placed_at = moment(order.placed_at);
        self.tracking_number = order.text.tracking_number.as_deref().map(visible);
        Ok(())
    }
}

fn subject(shop: &Shop, template: EmailTemplate, order: Option<&OrderId>) -> String {
    let order = order.map(OrderId::as_str).unwrap_or_default();
    match template {
        EmailTemplate::OrderConfirmation => format!("Your order {order} is confirmed"),
        EmailTemplate::OrderRejection => format!("We cannot deliver your order {order}"),
        EmailTemplate::OrderCancellation => format!("Your order {order} is cancelled"),
        EmailTemplate::OrderShipment => format!("Your order {order} is on its way"),
        EmailTemplate::Welcome => format!("Welcome to {}", shop.name),
        EmailTemplate::EmailConfirmation => "Confirm your e-mail address".to_owned(),
        EmailTemplate::PasswordReset => "Set another password".to_owned(),
    }
}

/// Whether a mail is about somebody's account, and about no order.
const fn is_of_account(template: EmailTemplate) -> bool {
    matches!(
        template,
        EmailTemplate::Welcome | EmailTemplate::EmailConfirmation | EmailTemplate::PasswordReset
    )
}

/// An amount with all the digits of its currency, and that.
fn amount(money: Money) -> String {
    format!("{} {}", money.decimal(), money.currency)
}

/// A moment, to the minute.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) => format!("{date}, {time} UTC"),
        _ => text,
    }
}

/// What of a text can be seen: no line breaks and other control characters, and nothing that turns the direction of
/// what stands around it (Unicode Standard Annex 9).
#[must_use]
pub(crate) fn visible(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !breaks(*c) && !turns(*c)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
