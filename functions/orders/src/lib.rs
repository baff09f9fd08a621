//! The orders service: takes orders at the catalogue's prices, and settles them when the stock is known.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `POST /orders` | [`create_order`] |
//! | `GET /orders/{id}` | [`get_order`] |
//! | `GET /orders` | [`list_orders`] |
//! | `POST /orders/{id}/cancel` | [`cancel_order`] |
//! | `PATCH /orders/{id}/status` | [`update_order_status`] |
//! | `SettleOrderQueue`: `inventory.rejected`, `inventory.reserved` | [`settle_order`] |
//! | `rate(5 minutes)`, or an operator | [`sweep_orders`] |
//! | the stream of `OrdersTable` | [`publish_order_events`] |
//! <!-- /sync -->
//!
//! [`order`], [`view`], [`order_keys`], [`budget`] and [`pricing`] decide and know nothing of AWS; [`store`] and
//! [`price_list`] are the only modules that speak DynamoDB. A handler never publishes: what is written is published by
//! the table's stream, as [`events`] reads it.

mod access;
pub mod budget;
pub mod cancel_order;
pub mod create_order;
mod events;
pub mod get_order;
pub mod list_orders;
mod moving;
pub mod order;
mod order_keys;
mod price_list;
mod pricing;
pub mod publish_order_events;
mod request;
pub mod settle_order;
mod store;
pub mod sweep_orders;
pub mod update_order_status;
mod view;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "orders",
    routes: &[
        route::<create_order::CreateOrder>(),
        route::<get_order::GetOrder>(),
        route::<list_orders::ListOrders>(),
        route::<cancel_order::CancelOrder>(),
        route::<update_order_status::UpdateOrderStatus>(),
    ],
    others: &[settle_order::FUNCTION, sweep_orders::FUNCTION, publish_order_events::FUNCTION],
};
