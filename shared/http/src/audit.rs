//! The audit trail: one line of the log for each request that changes something, and for each that was refused
//! for lack of power or for trying too often (OWASP ASVS 5, 16.2.1 and 16.3).
//!
//! A line says who, what, of what, when and with what outcome. It holds ids, codes and figures and must hold
//! nothing else: no name, no address, no token. The log's own fields give the time. What a handler adds by
//! [`crate::Call::audit`] goes into the same line.

use std::sync::{Mutex, PoisonError};

use lambda_http::http::{Method, StatusCode};

/// The lines' target: what a filter of the log asks for.
const TARGET: &str = "shop_audit";

/// What is noted while a request is handled.
#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    actor: Option<String>,
    session: Option<String>,
    subject: Option<String>,
    details: Vec<(&'static str, String)>,
}

impl Trail {
    pub(crate) fn caller(&self, actor: String, session: Option<String>) {
        self.change(|notes| (notes.actor, notes.session) = (Some(actor), session));
    }

    pub(crate) fn subject(&self, subject: String) {
        self.change(|notes| notes.subject = Some(subject));
    }

    pub(crate) fn detail(&self, name: &'static str, value: String) {
        self.change(|notes| notes.details.push((name, value)));
    }

    fn change(&self, change: impl FnOnce(&mut Notes)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes the line of a request, if it is to leave one.
    pub(crate) fn write(&self, act: &'static str, method: &Method, request_id: &str, answer: &Outcome<'_>) {
        let status = answer.status;
        let is_refused = matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        );
        if matches!(*method, Method::GET | Method::HEAD) && !is_refused {
            return;
        }
        let outcome = match status {
            _ if is_refused => "refused",
            _ if status.is_success() => "done",
            _ if status.is_server_error() => "failed",
            _ => "invalid",
        };
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let details: Vec<_> = notes.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let subject = notes.subject.as_deref().or(answer.created);
        tracing::info!(
            target: TARGET,
            {
            audit.act = act,
            audit.outcome = outcome,
            audit.actor = notes.actor.as_deref().unwrap_or("unknown"),
            audit.subject = subject.unwrap_or_default(),
            audit.session = notes.session.as_deref().unwrap_or_default(),
            audit.code = answer.code.unwrap_or_default(),
            audit.details = details.join(" "),
            http.status = status.as_u16(),
            request.id = request_id,
            },
            "audit"
        );
    }
}

/// How a request was answered.
pub(crate) struct Outcome<'a> {
    pub(crate) status: StatusCode,
    /// The code of the problem, where it is one.
    pub(crate) code: Option<&'static str>,
    /// The id of what was made: the last part of `Location`.
    pub(crate) created: Option<&'a str>,
}
