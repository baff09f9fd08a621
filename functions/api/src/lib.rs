//! The API as a whole: what belongs to no service.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `$default` | [`answer_unknown_route`] |
//! <!-- /sync -->

pub mod answer_unknown_route;
pub mod routes;

use shop_http::Service;

/// What belongs to the API as a whole, as all that iterates over services sees it.
pub const SERVICE: Service = Service { name: "api", routes: &[], others: &[answer_unknown_route::FUNCTION] };
