//! What people hold of their accounts: sessions, and the passwords that may be theirs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What somebody holds of a session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) access: String,
    pub(super) refresh: String,
    /// Refresh tokens that others have taken the place of.
    pub(super) used: Vec<String>,
}

/// What somebody knows of the own account.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) session: Option<Session>,
    /// Every access token that was ever held, oldest first.
    tokens: Vec<String>,
    /// Passwords that may be the account's: an answer about a change may have been lost.
    pub(super) passwords: Vec<String>,
    pub(super) has_left: bool,
}

impl Known {
    pub(super) fn hold(&mut self, session: Session) {
        self.tokens.push(session.access.clone());
        self.session = Some(session);
    }
}

#[derive(Debug, Default)]
pub(crate) struct People(Mutex<BTreeMap<usize, Known>>);

impl People {
    pub(crate) fn session(&self, number: usize) -> Option<Session> {
        self.lock().get(&number).and_then(|known| known.session.clone())
    }

    /// Every access token that somebody ever held, oldest first.
    pub(crate) fn tokens(&self, number: usize) -> Vec<String> {
        self.lock().get(&number).map(|known| known.tokens.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, number: usize, change: impl FnOnce(&mut Known)) {
        change(self.lock().entry(number).or_default());
    }

    pub(super) fn known(&self, number: usize) -> Known {
        self.lock().get(&number).cloned().unwrap_or_default()
    }
}
