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
    /// Whether nothing had been begun by the time of its answer that ends an account's sessions, or might have: then
    /// it lasts until the next such thing.
    pub(super) since: Option<Endings>,
}

/// What has been begun, and is still under way, of what may end an account's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Endings {
    begun: usize,
    under_way: usize,
}

/// What somebody knows of the own account.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) session: Option<Session>,
    /// Every access token that was ever held, oldest first.
    tokens: Vec<String>,
    /// Passwords that may be the account's: an answer about a change may have been lost.
    pub(super) passwords: Vec<String>,
    /// Addresses that may be the account's, likewise.
    pub(super) addresses: Vec<String>,
    pub(super) has_left: bool,
}

impl Endings {
    /// Whether something is under way.
    pub(super) fn are_under_way(self) -> bool {
        self.under_way > 0
    }
}

impl Known {
    pub(super) fn hold(&mut self, session: Session) {
        self.tokens.push(session.access.clone());
        self.session = Some(session);
    }
}

#[derive(Debug, Default)]
pub(crate) struct People {
    known: Mutex<BTreeMap<usize, Known>>,
    /// By the user's id.
    endings: Mutex<BTreeMap<String, Endings>>,
}

impl People {
    /// Something begins that may end the sessions of a user, or leave unknown which token is the last.
    pub(super) fn begin_ending(&self, user: &str) {
        let mut endings = self.endings();
        let of_user = endings.entry(user.to_owned()).or_default();
        of_user.begun += 1;
        of_user.under_way += 1;
    }

    /// It has been answered.
    pub(super) fn end_ending(&self, user: &str) {
        if let Some(of_user) = self.endings().get_mut(user) {
            of_user.under_way -= 1;
        }
    }

    /// What is known of the endings of each user's sessions.
    pub(super) fn all_endings(&self) -> BTreeMap<String, Endings> {
        self.endings().clone()
    }

    fn endings(&self) -> MutexGuard<'_, BTreeMap<String, Endings>> {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn session(&self, number: usize) -> Option<Session> {
        self.lock().get(&number).and_then(|known| known.session.clone())
    }

    /// Every access token that somebody ever held, oldest first.
    pub(crate) fn tokens(&self, number: usize) -> Vec<String> {
        self.lock().get(&number).map(|known| known.tokens.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, number: usize, change: impl FnOnce(&mut Known)) {
        change(self.lock().entry(number).or_default());
    }

    pub(super) fn known(&self, number: usize) -> Known {
        self.lock().get(&number).cloned().unwrap_or_default()
    }
}
