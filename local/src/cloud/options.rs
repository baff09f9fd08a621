//! How a cloud is to run: where its time and randomness come from, where it keeps its state, who watches.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Interceptor, MailAccount, Observer};

/// Where time, randomness and storage come from.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Real time and the operating system's randomness. Needs a multi-thread or current-thread runtime with time.
    Real {
        /// The folder that keeps the state; in memory without one.
        data_dir: Option<PathBuf>,
    },
    /// Virtual time and seeded randomness, in memory. Needs [`super::simulated_runtime`].
    Simulated {
        /// Everything random comes from it: the same seed gives the same run.
        seed: u64,
    },
}

/// The settings of a cloud.
#[derive(Clone)]
pub struct Options {
    /// Time, randomness and storage.
    pub mode: Mode,
    /// Delivers every queue message and every stream batch twice, as at-least-once delivery may.
    pub deliver_twice: bool,
    /// How many environments of one function may run at once.
    pub environments: usize,
    /// The account's settings in SES.
    pub mail: MailAccount,
    /// Where a front door serves presigned URLs, as `http://127.0.0.1:9000`. Without one they are for
    /// [`super::Cloud::invoke_presigned`] alone.
    pub front_door: Option<String>,
    /// Who is told of every call, invocation and delivery, besides the meter.
    pub observers: Vec<Arc<dyn Observer>>,
    /// Tables without a stream whose writes the observers see as well, by their logical ids.
    pub watched_tables: &'static [&'static str],
    /// Who may delay or fail calls and deliveries.
    pub interceptor: Option<Arc<dyn Interceptor>>,
}

impl Options {
    /// Settings for a mode, with nothing out of the ordinary.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            deliver_twice: false,
            environments: 8,
            mail: MailAccount::default(),
            front_door: None,
            observers: Vec::new(),
            watched_tables: &[],
            interceptor: None,
        }
    }

    /// In memory, in real time.
    #[must_use]
    pub fn memory() -> Self {
        Self::new(Mode::Real { data_dir: None })
    }

    /// In memory, in virtual time, from a seed.
    #[must_use]
    pub fn simulated(seed: u64) -> Self {
        Self::new(Mode::Simulated { seed })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("mode", &self.mode)
            .field("deliver_twice", &self.deliver_twice)
            .field("environments", &self.environments)
            .finish_non_exhaustive()
    }
}
