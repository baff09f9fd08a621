//! The one source of randomness of a cloud: ids, receipt handles, waits, and what functions ask for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random bytes, from the operating system or from a seed. Cheap to clone; clones share one stream.
#[derive(Clone)]
pub(crate) struct Random(Arc<Mutex<StdRng>>);

impl Random {
    pub(crate) fn system() -> Self {
        Self::from(StdRng::from_seed(shop_lambda::Random::system().bytes()))
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self::from(StdRng::seed_from_u64(seed))
    }

    fn from(generator: StdRng) -> Self {
        Self(Arc::new(Mutex::new(generator)))
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// A number below a bound, for waits and choices: the slight bias of a remainder does not matter there.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound.max(1)
    }

    /// 32 random hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        HEXLOWER.encode(&bytes)
    }

    /// A random UUID, version 4.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = HEXLOWER.encode(&bytes);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// The same source, as functions take it.
    pub(crate) fn for_function(&self) -> shop_lambda::Random {
        let random = self.clone();
        shop_lambda::Random::new(move |bytes| random.fill(bytes))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let ids = |seed| {
            let random = Random::seeded(seed);
            (random.uuid(), random.hex(), random.below(10))
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
        assert_eq!(ids(7).0.len(), 36);
    }
}
