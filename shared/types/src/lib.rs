//! The vocabulary of the shop: money, ids, time, e-mail addresses. Pure: no AWS, no HTTP, no I/O.

mod email;
mod form;
mod id;
mod money;
mod position;
pub mod text;
mod timestamp;

pub use email::{EmailAddress, ParseEmailError};
pub use form::TextForm;
pub use id::{
    AlertId, DeadLetterId, EmailId, ExportId, ImportId, OrderId, ParseIdError, ProductId, RedriveId, UserId,
    is_made_id,
};
pub use money::{AmountError, Currency, MAX_AMOUNT, Money, UnknownCurrency};
pub use position::ListPosition;
pub use timestamp::{ParseTimestampError, Timestamp};
