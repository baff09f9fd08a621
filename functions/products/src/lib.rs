//! The products service: the catalogue, the stock counters, and the reservation ledger.
//!
//! <!-- sync: functions -->
//! | called by | module |
//! |---|---|
//! | `POST /products` | [`create_product`] |
//! | `GET /products` | [`list_products`] |
//! | `GET /products/{id}` | [`get_product`] |
//! | `PATCH /products/{id}` | [`update_product`] |
//! | `DELETE /products/{id}` | [`delete_product`] |
//! | `GET /products/{id}/stock` | [`get_stock`] |
//! | `PATCH /products/{id}/stock` | [`set_stock`] |
//! | `POST /imports` | [`imports::create_import`] |
//! | `POST /imports/{id}/start` | [`imports::start_import`] |
//! | `GET /imports/{id}` | [`imports::get_import`] |
//! | `GET /imports/{id}/refusals` | [`imports::list_import_refusals`] |
//! | `POST /exports` | [`exports::create_export`] |
//! | `GET /exports/{id}` | [`exports::get_export`] |
//! | `ReserveStockQueue`: `order.cancelled`, `order.created`, `order.stalled` | [`reserve_stock`] |
//! | `ImportProductsQueue`:  | [`imports::import_products`] |
//! | `ExportProductsQueue`:  | [`exports::export_products`] |
//! | `rate(1 day)`, or an operator | [`verify_stock`] |
//! | the stream of `ProductsTable` | [`publish_product_events`] |
//! <!-- /sync -->
//!
//! One table. Handlers and consumers only write to it; its stream publishes: product.created, .updated,
//! .deleted; inventory.updated, .reserved, .rejected, .released, .repaired; reservation.repaired; and of crossings
//! ([`watch`]) inventory.low, .replenished, `.sold_out`, `.back_in_stock`, .closed.
//!
//! Invariant, at any time and per product: initial + restocked - removed = available + reserved, and what is
//! reserved is the sum of the ledger's reserved entries (with the claims on their way there).

mod audit;
mod change;
pub mod create_product;
pub mod delete_product;
mod events;
pub mod exports;
mod fields;
pub mod get_product;
pub mod get_stock;
pub mod imports;
pub mod list_products;
mod listing;
mod orders_read_model;
mod picture;
pub mod plan;
mod product;
pub mod publish_product_events;
pub mod reservation;
pub mod reserve_stock;
pub mod set_stock;
mod settling;
pub mod stock;
pub mod store;
pub mod update_product;
pub mod verify_stock;
pub mod watch;

use shop_http::{Service, route};

/// The service, as all that iterates over services sees it.
pub const SERVICE: Service = Service {
    name: "products",
    routes: &[
        route::<create_product::CreateProduct>(),
        route::<list_products::ListProducts>(),
        route::<get_product::GetProduct>(),
        route::<update_product::UpdateProduct>(),
        route::<delete_product::DeleteProduct>(),
        route::<get_stock::GetStock>(),
        route::<set_stock::SetStock>(),
        route::<imports::create_import::CreateImport>(),
        route::<imports::start_import::StartImport>(),
        route::<imports::get_import::GetImport>(),
        route::<imports::list_import_refusals::ListImportRefusals>(),
        route::<exports::create_export::CreateExport>(),
        route::<exports::get_export::GetExport>(),
    ],
    others: &[
        reserve_stock::FUNCTION,
        imports::import_products::FUNCTION,
        exports::export_products::FUNCTION,
        verify_stock::FUNCTION,
        publish_product_events::FUNCTION,
    ],
};
