//! A failure that passes by itself: too much was going on at once.

use std::error::Error;
use std::fmt;

/// Others were in the way, or a service throttles. Nothing is broken, and the same request may simply be sent
/// again. It stands among the causes of an error, for whoever turns errors into answers.
#[derive(Debug, Default)]
pub struct Contention(Option<Box<dyn Error + Send + Sync>>);

impl Contention {
    /// Nothing but other writers.
    #[must_use]
    pub const fn of_writers() -> Self {
        Self(None)
    }

    /// A call that was throttled.
    pub fn of_throttled(source: impl Error + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(source)))
    }

    /// Whether this is what an error came of.
    #[must_use]
    pub fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            next = error.source();
        }
        false
    }
}

impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "the call was throttled",
            None => "others were at work on the same items",
        })
    }
}

impl Error for Contention {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|source| -> &(dyn Error + 'static) { source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Box<dyn Error + Send + Sync>);

    #[test]
    fn it_is_found_at_any_depth_and_hides_no_cause() {
        let throttled = Contention::of_throttled(std::io::Error::other("slow down"));
        assert_eq!(throttled.source().map(ToString::to_string).as_deref(), Some("slow down"));
        let deep = Outer(Box::new(Outer(Box::new(throttled))));
        assert!(Contention::caused(&deep) && Contention::caused(&Contention::of_writers()));
        assert!(!Contention::caused(&Outer(Box::new(std::io::Error::other("broken")))));
    }
}
