//! What is known of a route, and of a service, without starting it.

use std::collections::BTreeSet;

use shop_lambda::{Function, Handler, Kind};

use crate::route::{HttpHandler, Route};
use crate::{Access, Code, Contract, Endpoint};

/// What a route is, for who looks at the whole API: its function, and what its trait says.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The function.
    pub function: Function,
    /// Where it answers.
    pub endpoint: Endpoint,
    /// Who may call it.
    pub access: Access,
    /// The query parameters that it takes.
    pub query: &'static [&'static str],
    /// Whether it takes a body.
    pub takes_body: bool,
    /// What goes in and what comes out.
    pub contract: fn() -> Contract,
}

impl RouteInfo {
    /// Every problem that the route may answer with: those that its contract names, and those of every route of its
    /// kind.
    #[must_use]
    pub fn codes(&self, contract: &Contract) -> BTreeSet<Code> {
        let mut codes = contract.codes.clone();
        codes.extend([Code::InvalidQuery, Code::BodyTooLarge, Code::Internal, Code::Contended]);
        if self.access != Access::Anonymous {
            codes.insert(Code::Unauthorized);
        }
        if self.access == Access::Admin {
            codes.insert(Code::Forbidden);
        }
        if !self.takes_body {
            codes.insert(Code::UnexpectedBody);
        }
        if self.endpoint.path.contains('{') {
            codes.insert(Code::NotFound);
        }
        codes
    }
}

/// A route for the list of its service.
#[must_use]
pub const fn route<R: Route>() -> RouteInfo {
    RouteInfo {
        function: function::<R>(),
        endpoint: R::ENDPOINT,
        access: R::ACCESS,
        query: R::QUERY,
        takes_body: R::TAKES_BODY,
        contract: R::contract,
    }
}

/// The function of a route.
#[must_use]
pub const fn function<R: Route>() -> Function {
    Function::new(R::NAME, Kind::Route, |environment| {
        Box::pin(async move { Ok(Box::new(HttpHandler::<R>::start(environment).await?) as Box<dyn Handler>) })
    })
}

/// A service: its routes, and its functions that no route leads to.
#[derive(Debug)]
pub struct Service {
    /// Its name: that of its crate.
    pub name: &'static str,
    /// Its routes.
    pub routes: &'static [RouteInfo],
    /// Its consumers, its relay and its tasks.
    pub others: &'static [Function],
}

impl Service {
    /// All of its functions, the routes' first.
    #[must_use]
    pub fn functions(&self) -> Vec<Function> {
        self.routes.iter().map(|route| route.function).chain(self.others.iter().copied()).collect()
    }
}
