//! Who consumes what, as the template's filters say. Written by `cargo xtask sync`.

/// A consumer, its service, and the types of events that it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The consumer's one name.
    pub name: &'static str,
    /// The service that it is of.
    pub service: &'static str,
    /// None where its queue holds something else than the shop's own events.
    pub types: &'static [&'static str],
}

/// Every consumer but the journal's own, which is sent everything.
#[rustfmt::skip]
pub const CONSUMERS: &[Consumer] = &[
    Consumer {
        name: "export-products",
        service: "products",
        types: &[],
    },
    Consumer {
        name: "import-products",
        service: "products",
        types: &[],
    },
    Consumer {
        name: "index-products",
        service: "search",
        types: &["inventory.back_in_stock", "inventory.sold_out", "product.created", "product.deleted", "product.updated"],
    },
    Consumer {
        name: "invalidate-cache",
        service: "cache",
        types: &["inventory.back_in_stock", "inventory.sold_out", "product.created", "product.deleted", "product.updated"],
    },
    Consumer {
        name: "note-email-feedback",
        service: "emails",
        types: &[],
    },
    Consumer {
        name: "raise-alert",
        service: "notifications",
        types: &["inventory.back_in_stock", "inventory.closed", "inventory.low", "inventory.replenished", "inventory.sold_out"],
    },
    Consumer {
        name: "record-sale",
        service: "analytics",
        types: &["order.cancelled", "order.confirmed"],
    },
    Consumer {
        name: "record-user-stats",
        service: "users",
        types: &["order.cancelled", "order.confirmed"],
    },
    Consumer {
        name: "reserve-stock",
        service: "products",
        types: &["order.cancelled", "order.created", "order.stalled"],
    },
    Consumer {
        name: "run-redrive",
        service: "redrives",
        types: &[],
    },
    Consumer {
        name: "send-email",
        service: "emails",
        types: &["order.cancelled", "order.confirmed", "order.rejected", "order.shipped", "user.email_confirmation_requested", "user.password_reset_requested", "user.registered"],
    },
    Consumer {
        name: "settle-order",
        service: "orders",
        types: &["inventory.rejected", "inventory.reserved"],
    },
];
