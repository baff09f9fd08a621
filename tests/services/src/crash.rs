//! The same again and again, each time with another call of a function that kills it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use shop_local::cloud::{Call, Fault, Options};

use crate::{Calls, simulate};

/// A call that kills its function.
pub struct Crash {
    calls: Arc<Calls>,
    place: usize,
    has_struck: Arc<AtomicBool>,
}

impl Crash {
    /// Settings of a cloud in which it can happen.
    #[must_use]
    pub fn options(&self, seed: u64) -> Options {
        self.calls.options(seed)
    }

    /// Counts the function's calls from now on, and lets it die at one: before the call takes effect or, at every other
    /// place, after the one before it has, which leaves the same behind.
    pub fn arm(&self) {
        if self.place.is_multiple_of(2) {
            self.arm_before();
        } else {
            self.calls.lose(self.at(self.place - 1));
        }
    }

    /// The same, always before the call takes effect.
    pub fn arm_before(&self) {
        self.calls.fail(self.at(self.place));
    }

    /// Lets everything go its plain course again.
    pub fn disarm(&self) {
        self.calls.recover();
    }

    fn at(&self, place: usize) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
        let (made, has_struck) = (AtomicUsize::new(0), Arc::clone(&self.has_struck));
        move |_| {
            let strikes = made.fetch_add(1, Ordering::Relaxed) == place;
            has_struck.fetch_or(strikes, Ordering::Relaxed);
            strikes.then_some(Fault::Crashed)
        }
    }

    /// Whether the function died of it: it may have made fewer calls.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.has_struck.load(Ordering::Relaxed)
    }
}

/// Runs a test with a crash at a function's first call, at the one that is `step` calls behind it, and so on, until it
/// makes fewer. The test arms the crash.
///
/// # Errors
/// What the test returns, or that there were no more than `least` calls, so that little was tested.
pub fn crash_at_each_call(
    function: &'static str,
    step: usize,
    least: usize,
    mut test: impl AsyncFnMut(&Crash) -> Result<()>,
) -> Result<()> {
    let mut place = 0;
    loop {
        let crash = Crash { calls: Calls::of(function), place, has_struck: Arc::default() };
        simulate(test(&crash)).with_context(|| format!("a crash at call {place}"))?;
        if !crash.has_struck() {
            ensure!(place > least, "it makes {place} calls only");
            return Ok(());
        }
        place += step;
    }
}
