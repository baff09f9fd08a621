//! The search service: products are found by their words, within seconds of what they are called and cost.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /search` | [`search_products`] |
//! | `GET /search/suggestions` | [`suggest_products`] |
//! | `IndexProductsQueue`: `inventory.back_in_stock`, `inventory.sold_out`, `product.created`, `product.deleted`, `product.updated` | [`index_products`] |
//! | `rate(1 day)`, or an operator | [`rebuild_search`] |
//! <!-- /sync -->
//!
//! [`index`] knows nothing of AWS; [`bucket`] is the only module that speaks S3, and [`catalogue`] the only one that speaks
//! DynamoDB.

mod bucket;
mod catalogue;
pub mod index;
pub mod index_products;
mod publisher;
mod reader;
pub mod rebuild_search;
mod request;
pub mod search_products;
pub mod suggest_products;
mod view;

use search_products::SearchProducts;
use shop_http::{RouteInfo, Service, route};
use suggest_products::SuggestProducts;

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service =
    Service { name: "search", routes: ROUTES, others: &[index_products::FUNCTION, rebuild_search::FUNCTION] };

const ROUTES: &[RouteInfo] = &[route::<SearchProducts>(), route::<SuggestProducts>()];
