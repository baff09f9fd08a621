//! What no route takes: the API's `$default`.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Response};
use serde_json::value::RawValue;
use shop_lambda::{FunctionError, Handler, Invocation};

use crate::content::{ACCEPT_PATCH, PATCH_TYPES};
use crate::endpoint::fits;
use crate::event::HttpRequest;
use crate::reply::header_value;
use crate::route::{finish, written};
use crate::{Asked, Code, Problem, Reply};

/// Paths of an API, with `{id}` for what varies, and the methods of each.
type Routes = &'static [(&'static str, &'static [&'static str])];

/// What is there besides the routes, to `GET`: none where there is nothing.
type Pages = Box<dyn Fn(&Asked<'_>) -> Option<Reply> + Send + Sync>;

/// What a page or a file has.
const METHODS_OF_PAGES: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// The handler of every request that none of these routes takes: where it asks for a path that no route has, `pages` may
/// have an answer.
#[must_use]
pub fn unknown_route(routes: Routes, pages: Pages) -> Box<dyn Handler> {
    Box::new(UnknownRoute { routes, pages })
}

struct UnknownRoute {
    routes: Routes,
    pages: Pages,
}

impl Handler for UnknownRoute {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let request = HttpRequest::read(invocation.payload.get())
                .map_err(|error| FunctionError::new("the event is not an HTTP API request", error))?;
            let response = self.respond(&request, invocation.context.request_id);
            written(response).map_err(|error| FunctionError::new("the answer cannot be written", error))
        })
    }
}

impl UnknownRoute {
    fn respond(&self, request: &HttpRequest, lambda_id: String) -> Response<Body> {
        let request_id = request.request_id(lambda_id);
        let mut response = match self.answer(request) {
            Ok(reply) => reply.into_response(),
            Err(problem) => problem.into_response(&request_id, &request.path),
        };
        finish(&mut response, &request.method, &request_id);
        response
    }

    fn answer(&self, request: &HttpRequest) -> Result<Reply, Problem> {
        let methods = if request.method == Method::OPTIONS && request.path == "*" {
            // The server as a whole, which has no representation and no path (RFC 9110 section 9.3.7).
            self.methods(|_| true)
        } else {
            self.methods(|pattern| fits(pattern, &request.path))
        };
        let asked = Asked::new(&request.path, &request.headers);
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let methods = match methods.is_empty().then(|| (self.pages)(&asked)).flatten() {
            Some(page) if is_read => return Ok(page),
            // What says that there is no such page or file is none itself.
            Some(page) if !page.code().is_client_error() => METHODS_OF_PAGES.into(),
            _ => methods,
        };
        let is_known = methods.contains(request.method.as_str());
        // RFC 5789 section 3.1. What the whole server takes is no one resource's.
        let takes_patch = methods.contains("PATCH") && request.path != "*";
        let allow = header_value(&methods.into_iter().collect::<Vec<_>>().join(", "))?;
        if allow.is_empty() || (is_known && request.method != Method::OPTIONS) {
            let problem = Problem::new(Code::NotFound, "The API has no such path.");
            // To who would rather see one, it is a page.
            return Err(if is_read && allow.is_empty() { problem.by_accept() } else { problem });
        }
        if is_known {
            let reply = Reply::no_content().with(header::ALLOW, allow);
            return Ok(if takes_patch { reply.with(ACCEPT_PATCH, PATCH_TYPES) } else { reply });
        }
        let detail = "This path does not have this method; see Allow.";
        Err(Problem::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, allow))
    }

    /// The methods of the paths that fit; none where there is no such path in the API.
    fn methods(&self, fits: impl Fn(&str) -> bool) -> BTreeSet<&'static str> {
        let methods =
            self.routes.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, methods)| *methods);
        let mut methods: BTreeSet<_> = methods.copied().collect();
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        if !methods.is_empty() {
            methods.insert("OPTIONS");
        }
        methods
    }
}
