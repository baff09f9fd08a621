//! The index: products in segments, each an object that never changes, and a manifest that names those that count. Pure:
//! no AWS, no clock, no thread.
//!
//! A document of a segment is dead once another segment has replaced it. What is dead follows from the segments of the
//! manifest, so that none of them is ever written again.

mod entry;
mod fields;
mod hits;
mod segment;
mod snapshot;
mod words;

pub use entry::{Entry, Shown};
pub use hits::{Answer, Bound, Place, PriceRange, Query, Sort};
pub use segment::Segment;
pub use snapshot::{Manifest, Named, Next, Snapshot};
pub use words::{Piece, Wanted, pieces};

/// The index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// An object is no segment of this version.
    #[error("an object is no segment of the index")]
    NoSegment,
    /// A segment that the manifest names is not there.
    #[error("a segment of the index is missing")]
    Missing,
    /// More than a segment can hold.
    #[error("there is too much for a segment")]
    TooLarge,
    /// tantivy refuses it.
    #[error("the index cannot be used")]
    Tantivy(#[from] tantivy::TantivyError),
    /// What is kept of a product cannot be read.
    #[error("an entry of the index cannot be read or written")]
    Entry(#[from] serde_json::Error),
    /// A file of a segment cannot be read.
    #[error("a file of a segment cannot be read")]
    File(#[from] tantivy::directory::error::OpenReadError),
    /// Memory cannot be read or written.
    #[error("a segment cannot be read or written")]
    Io(#[from] std::io::Error),
}
