//! Every service of the shop: what the shop on one machine, the tests, the simulation and the project's commands
//! iterate over. It has no function of its own.

pub mod openapi;

use shop_http::{RouteInfo, Service};
use shop_lambda::Function;

/// Every service.
pub const SERVICES: &[Service] = &[
    api::SERVICE,
    orders::SERVICE,
    products::SERVICE,
    users::SERVICE,
    emails::SERVICE,
    notifications::SERVICE,
    cache::SERVICE,
    analytics::SERVICE,
    redrives::SERVICE,
    search::SERVICE,
    monitor::SERVICE,
];

/// Every function of every service: what template.yaml names by `CodeUri`.
#[must_use]
pub fn functions() -> Vec<Function> {
    SERVICES.iter().flat_map(Service::functions).collect()
}

/// Every route of every service.
pub fn routes() -> impl Iterator<Item = &'static RouteInfo> {
    SERVICES.iter().flat_map(|service| service.routes)
}
