//! The analytics service: what was sold, hour by hour, day by day and product by product.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `GET /analytics/sales` | [`get_sales`] |
//! | `GET /analytics/products` | [`get_product_sales`] |
//! | `RecordSaleQueue`: `order.cancelled`, `order.confirmed` | [`record_sale`] |
//! | `rate(1 day)`, or an operator | [`verify_sales`] |
//! <!-- /sync -->
//!
//! [`fact`], [`figures`], [`plan`] and [`zone`] know nothing of AWS; [`store`] is the only module that speaks DynamoDB.
//! It publishes nothing: its figures are there to be read.

mod audit;
mod fact;
mod figures;
pub mod get_product_sales;
pub mod get_sales;
mod orders_read_model;
mod period;
mod plan;
pub mod record_sale;
mod recorder;
mod report;
mod store;
pub mod verify_sales;
mod zone;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "analytics",
    routes: &[route::<get_sales::GetSales>(), route::<get_product_sales::GetProductSales>()],
    others: &[record_sale::FUNCTION, verify_sales::FUNCTION],
};
