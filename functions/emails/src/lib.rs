//! The emails service: writes to customers what becomes of their orders, once each, and keeps what became of that.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /emails` | [`list_emails`] |
//! | `GET /emails/{id}` | [`get_email`] |
//! | `SendEmailQueue`: `order.cancelled`, `order.confirmed`, `order.rejected`, `order.shipped`, `user.email_confirmation_requested`, `user.password_reset_requested`, `user.registered` | [`send_email`] |
//! | `NoteEmailFeedbackQueue`: what a service of AWS says | [`note_email_feedback`] |
//! | `rate(2 minutes)`, or an operator | [`resend_emails`] |
//! | the stream of `EmailsTable` | [`publish_email_events`] |
//! <!-- /sync -->
//!
//! [`email`], [`feedback`] and [`letter`] decide and know nothing of AWS; [`store`] is the only module that speaks
//! DynamoDB to the service's own table, and [`mailer`] the only one that speaks to SES. [`writer`] reads what mails are about,
//! and [`postman`] is what send-email and resend-emails have in common. A handler never publishes: what is written is published by the table's stream, as
//! [`events`] reads it.
//!
//! An address lies with the account or the order, and is read when a mail is sent. Nothing here stores, logs or publishes
//! one.

mod email;
mod events;
mod feedback;
pub mod get_email;
mod letter;
pub mod list_emails;
mod mailer;
pub mod note_email_feedback;
mod postman;
pub mod publish_email_events;
pub mod resend_emails;
pub mod send_email;
mod settings;
mod store;
mod writer;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "emails",
    routes: &[route::<list_emails::ListEmails>(), route::<get_email::GetEmail>()],
    others: &[
        send_email::FUNCTION,
        note_email_feedback::FUNCTION,
        resend_emails::FUNCTION,
        publish_email_events::FUNCTION,
    ],
};
