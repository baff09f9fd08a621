//! What reserve-stock plans.

use anyhow::Result;
use products::plan::ReservationRequest;
use shop_events::{Cause, ReservedLine};
use shop_types::{OrderId, Timestamp};

/// An order of one each of these products, placed and nothing else yet.
///
/// # Errors
/// One of them is no product's id.
pub fn reservation_request(order_id: OrderId, products: &[impl AsRef<str>]) -> Result<ReservationRequest> {
    let line =
        |product: &dyn AsRef<str>| Ok(ReservedLine { product_id: product.as_ref().parse()?, quantity: 1 });
    Ok(ReservationRequest {
        order_id,
        placed_at: Timestamp::from_millis(0),
        lines: products.iter().map(|product| line(product)).collect::<Result<_>>()?,
        created: Some(Cause::request("request-1")),
        cancelled: None,
        stalled: None,
        is_repair: false,
    })
}
