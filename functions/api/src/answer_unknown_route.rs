//! `$default`: every request that no route takes. To `GET` the pages of the shop and their files ([`crate::pages`]); 404
//! where there is neither a route nor a page, 405 with `Allow` where the method is not (RFC 9110 section 15.5.6), and the
//! `Allow` that `OPTIONS` asks for: all as the routes' own answers, with a request id. It calls no AWS service and asks
//! for no token.

use shop_http::unknown_route;
use shop_lambda::{Function, Kind};

use crate::pages::Pages;
use crate::routes::ROUTES;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = Function::new("answer-unknown-route", Kind::Route, |environment| {
    Box::pin(async move {
        let pages = Pages::start(&environment)?;
        Ok(unknown_route(ROUTES, Box::new(move |asked| pages.answer(asked))))
    })
});

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shop_http::unknown_route;
    use shop_lambda::Invocation;

    use super::*;

    fn ask(method: &str, path: &str) -> Value {
        let fixture = include_str!("../../../events/answer-unknown-route.json");
        let mut event: Value = serde_json::from_str(fixture).unwrap();
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["method"] = json!(method);
        let payload = serde_json::value::to_raw_value(&event).unwrap();
        let invocation = Invocation { payload, context: lambda_http::Context::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pages = Pages::of("https://files.example").unwrap();
        let handler = unknown_route(ROUTES, Box::new(move |asked| pages.answer(asked)));
        let answer = runtime.block_on(handler.handle(invocation)).unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }

    #[test]
    fn a_method_that_a_path_does_not_have_is_told_which_it_has() {
        for (method, path, allow) in [
            ("DELETE", "/orders", "GET, HEAD, OPTIONS, POST"),
            ("PUT", "/products/a", "DELETE, GET, HEAD, OPTIONS, PATCH"),
            ("GET", "/sessions", "OPTIONS, POST"),
            ("BREW", "/users/me/role", "OPTIONS, PUT"),
            ("g e t", "/users/me/role", "OPTIONS, PUT"),
            ("POST", "/", "GET, HEAD, OPTIONS"),
            ("POST", "/console", "GET, HEAD, OPTIONS"),
            ("DELETE", "/console/orders/a/", "GET, HEAD, OPTIONS"),
            ("PUT", "/pictures/prod-1.svg", "GET, HEAD, OPTIONS"),
        ] {
            let answer = ask(method, path);
            assert_eq!(
                (&answer["statusCode"], &answer["headers"]["allow"]),
                (&json!(405), &json!(allow)),
                "{path}"
            );
            assert_eq!(answer["headers"]["content-type"], "application/problem+json");
            assert_eq!(answer["headers"]["x-request-id"], "JKJaXmPLvHcESHA=");
            assert_eq!(answer["headers"]["x-content-type-options"], "nosniff");
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(body["code"], "method_not_allowed");
        }
    }

    #[test]
    fn a_path_that_is_none_is_a_404() {
        for path in
            ["/nowhere", "/orders/", "/orders//cancel", "/orders/a/b", "", "//", "/ORDERS", "/orders/a/b/c"]
        {
            let answer = ask("GET", path);
            assert_eq!(answer["statusCode"], 404, "{path}");
            assert_eq!(answer["headers"]["content-type"], "application/problem+json");
            assert!(answer["headers"].get("allow").is_none());
            assert_eq!(answer["headers"]["vary"], "Accept", "to browsers it is a page");
        }
        // A file that is not there has no methods, though a `GET` of it is answered by the pages, in plain text.
        for path in ["/nowhere", "/pictures/none.svg", "/assets/none.js"] {
            let answer = ask("POST", path);
            assert_eq!(
                (&answer["statusCode"], &answer["headers"]["allow"]),
                (&json!(404), &Value::Null),
                "{path}"
            );
        }
        assert!(ask("HEAD", "/nowhere")["body"].is_null(), "HEAD has no content");
    }

    #[test]
    fn options_says_what_a_path_has() {
        for path in ["/orders/ord_1", "/", "/console"] {
            let answer = ask("OPTIONS", path);
            assert_eq!(
                (&answer["statusCode"], &answer["headers"]["allow"]),
                (&json!(204), &json!("GET, HEAD, OPTIONS")),
                "{path}"
            );
            assert!(answer["headers"].get("accept-patch").is_none());
        }
        for path in ["/nowhere", "", "**"] {
            assert_eq!(ask("OPTIONS", path)["statusCode"], 404, "{path}");
        }
    }

    #[test]
    fn options_says_what_a_patch_may_be_of_each_path_that_has_one() {
        for (pattern, methods) in ROUTES {
            let answer = ask("OPTIONS", &pattern.replace("{id}", "a"));
            let expected = if methods.contains(&"PATCH") {
                json!("application/json, application/merge-patch+json")
            } else {
                Value::Null
            };
            assert_eq!(answer["headers"]["accept-patch"], expected, "{pattern}");
        }
    }

    #[test]
    fn the_whole_server_is_asked_by_an_asterisk() {
        let answer = ask("OPTIONS", "*");
        let all = json!("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
        assert_eq!((&answer["statusCode"], &answer["headers"]["allow"]), (&json!(204), &all));
        assert!(answer["headers"].get("accept-patch").is_none());
        assert_eq!(ask("GET", "*")["statusCode"], 404);
    }
}
