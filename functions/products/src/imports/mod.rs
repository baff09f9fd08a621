//! Imports: products that come as a file, in parts of some hundred lines.
//!
//! The client is given an address in S3 ([`create_import`]), puts its file there, and says so ([`start_import`]). Then
//! [`import_products`] reads the file once, to find where its records begin and end ([`records`]), and sends itself a
//! message for each part; a part is read anew, its lines are checked by the rules of the API ([`line`]), applied
//! ([`apply`]) and counted, in one write with the import's totals. What is wrong with a line is kept in S3, and the
//! part's item says where.

pub(crate) mod apply;
pub(crate) mod bucket;
pub mod create_import;
pub mod get_import;
pub(crate) mod import;
pub mod import_products;
pub(crate) mod line;
pub mod list_import_refusals;
pub(crate) mod records;
pub(crate) mod refusal;
pub mod start_import;
pub(crate) mod store;
pub(crate) mod work;
