//! SQS: queues with visibility timeouts, receive counts and dead-letter queues, and its API.

mod execute;
mod journal;
mod message;
mod queue;
mod queues;
mod request;
mod state;
#[cfg(test)]
mod tests;

pub(super) use journal::{Journal, damage};
pub(super) use message::{Attribute, Attributes, Message, NewMessage};
pub(super) use queues::Queues;
pub(super) use request::Request;
