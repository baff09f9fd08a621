//! Search
pub mod index;
