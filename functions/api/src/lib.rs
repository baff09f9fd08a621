//! The API as a whole: what belongs to no service.
//!
//! | route | handler | binary |
//! |---|---|---|
//! | `$default` | [`answer_unknown_route`] | answer-unknown-route |

pub mod answer_unknown_route;

use shop_http::Service;

/// What belongs to the API as a whole, as all that iterates over services sees it.
pub const SERVICE: Service = Service { name: "api", routes: &[], others: &[answer_unknown_route::FUNCTION] };
