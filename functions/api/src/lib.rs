//! The API as a whole: what belongs to no service.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /health` | [`get_health`] |
//! | `GET /openapi.json` | [`get_openapi`] |
//! | `GET /docs` | [`get_docs`] |
//! | `$default` | [`answer_unknown_route`] |
//! <!-- /sync -->

pub mod answer_unknown_route;
pub mod get_docs;
pub mod get_health;
pub mod get_openapi;
mod pages;
pub mod routes;

use shop_http::{Service, route};

/// What belongs to the API as a whole, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "api",
    routes: &[
        route::<get_health::GetHealth>(),
        route::<get_openapi::GetOpenapi>(),
        route::<get_docs::GetDocs>(),
    ],
    others: &[answer_unknown_route::FUNCTION],
};
