//! The cache service: what is kept of the catalogue in CloudFront must be gone from there once it has changed.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `InvalidateCacheQueue`: `inventory.back_in_stock`, `inventory.sold_out`, `product.created`, `product.deleted`, `product.updated` | [`invalidate_cache`] |
//! <!-- /sync -->
//!
//! [`invalidation`] knows nothing of AWS; [`store`] is the only module that speaks DynamoDB, and [`edge`] the only one
//! that speaks to CloudFront.

mod edge;
pub mod invalidate_cache;
mod invalidation;
mod store;

use shop_http::Service;

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service { name: "cache", routes: &[], others: &[invalidate_cache::FUNCTION] };
