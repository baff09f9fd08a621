//! Query parameters of the monitor's routes: every mistake at once.

use shop_events::EventType;
use shop_http::{Call, FieldCode, FieldError, Problem};
use shop_types::Timestamp;

/// As long as the longest id, several times over.
pub(crate) const MAX_TEXT: usize = 200;

/// The mistakes so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    pub(crate) fn note(&mut self, name: &str, code: FieldCode, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: format!("?{name}"), code, detail: detail.into() });
    }

    /// An id or the like, which is compared and never read.
    pub(crate) fn text(&mut self, call: &Call, name: &str) -> Option<String> {
        let text = call.parameter(name)?;
        let is_right =
            (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_right {
            let detail = format!("There must be 1 to {MAX_TEXT} visible ASCII characters.");
            self.note(name, FieldCode::InvalidFilter, detail);
        }
        is_right.then(|| text.to_owned())
    }

    pub(crate) fn event_type(&mut self, call: &Call, name: &str) -> Option<EventType> {
        let event_type = call.parameter(name)?.parse().ok();
        if event_type.is_none() {
            self.note(name, FieldCode::InvalidFilter, "There is no such type of event.");
        }
        event_type
    }

    /// A moment, as RFC 3339 writes it.
    pub(crate) fn time(&mut self, call: &Call, name: &str) -> Option<Timestamp> {
        let time = call.parameter(name)?.parse().ok();
        if time.is_none() {
            self.note(name, FieldCode::InvalidFilter, "This must be a time, as 2026-11-23T15:00:00Z.");
        }
        time
    }

    /// # Errors
    /// There were mistakes.
    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.0)) }
    }
}
