//! The orders service: takes orders at the catalogue's prices, and settles them when the stock is known.
//!
//! | route or source | handler | binary |
//! |---|---|---|
//! | `POST /orders` | [`create_order`] | create-order |
//! | `GET /orders/{id}` | [`get_order`] | get-order |
//! | `GET /orders` | [`list_orders`] | list-orders |
//! | `POST /orders/{id}/cancel` | [`cancel_order`] | cancel-order |
//! | queue: `inventory.reserved`, `.rejected` | [`settle_order`] | settle-order |
//! | schedule | [`sweep_orders`] | sweep-orders |
//! | stream of the orders table | [`publish_order_events`] | publish-order-events |
//!
//! [`order`], [`view`], [`order_keys`], [`budget`] and [`pricing`] decide and know nothing of AWS; [`store`] and [`price_list`] are the only
//! modules that speak DynamoDB. A handler never publishes: what is written is told by the table's stream,
//! as [`events`] reads it.

pub mod access;
pub mod budget;
pub mod cancel_order;
pub mod create_order;
pub mod events;
pub mod get_order;
pub mod list_orders;
pub mod order;
pub mod order_keys;
pub mod price_list;
pub mod pricing;
pub mod publish_order_events;
mod request;
pub mod settle_order;
pub mod store;
pub mod sweep_orders;
pub mod view;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "orders",
    routes: &[
        route::<create_order::CreateOrder>(),
        route::<get_order::GetOrder>(),
        route::<list_orders::ListOrders>(),
        route::<cancel_order::CancelOrder>(),
    ],
    others: &[settle_order::FUNCTION, sweep_orders::FUNCTION, publish_order_events::FUNCTION],
};
