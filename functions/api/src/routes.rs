//! The API's paths and their methods. Written by `cargo xtask sync`.

/// `HEAD` goes with `GET`, and `OPTIONS` with all.
pub const ROUTES: &[(&str, &[&str])] = &[
    ("/.well-known/jwks.json", &["GET"]),
    ("/alerts", &["GET"]),
    ("/docs", &["GET"]),
    ("/email-confirmations", &["POST"]),
    ("/emails", &["GET"]),
    ("/health", &["GET"]),
    ("/openapi.json", &["GET"]),
    ("/orders", &["GET", "POST"]),
    ("/orders/{id}", &["GET"]),
    ("/orders/{id}/cancel", &["POST"]),
    ("/orders/{id}/status", &["PATCH"]),
    ("/password-resets", &["POST"]),
    ("/password-resets/complete", &["POST"]),
    ("/products", &["GET", "POST"]),
    ("/products/{id}", &["DELETE", "GET", "PATCH"]),
    ("/products/{id}/stock", &["GET", "PATCH"]),
    ("/sessions", &["POST"]),
    ("/sessions/current", &["DELETE"]),
    ("/sessions/refresh", &["POST"]),
    ("/users", &["GET", "POST"]),
    ("/users/{id}", &["DELETE", "GET", "PATCH"]),
    ("/users/{id}/email-confirmation", &["POST"]),
    ("/users/{id}/role", &["PUT"]),
    ("/users/{id}/stats", &["GET"]),
];
