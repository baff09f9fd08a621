//! Exports: the catalogue as a file, which imports back unchanged.
//!
//! An administrator asks for one ([`create_export`]); it is written in the background ([`export_products`]), a stretch at a
//! time; and whoever asks for it ([`get_export`]) is given an address in S3 for some minutes.

pub mod create_export;
pub(crate) mod export;
pub mod export_products;
pub mod get_export;
pub(crate) mod rows;
pub(crate) mod store;
pub(crate) mod work;
