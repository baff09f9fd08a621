//! SHA-256 as text: of a request, to tell it from another, and of an idempotency key, to make it a sort key.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE32_NOPAD;

/// The hash of some bytes, in 52 letters and digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(digest(&SHA256, bytes).as_ref())
}

/// The hash of a key within a scope; the scope's length keeps ("a", "bc") and ("ab", "c") apart.
pub(crate) fn scoped(scope: &str, key: &str) -> String {
    hash(format!("{}:{scope}:{key}", scope.len()).as_bytes())
}
