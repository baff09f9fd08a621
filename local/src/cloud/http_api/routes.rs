//! Routes: from a method and a path to a function, the most specific route first.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::template::{Event, Template};

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST` and so on, or `ANY`.
    pub method: String,
    /// The path, as `/orders/{id}`, or `$default`.
    pub path: String,
    /// The one name of the function, as `get-order`.
    pub function: String,
}

impl Route {
    /// The route as API Gateway names it.
    pub(super) fn key(&self) -> String {
        match self.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", self.method),
        }
    }
}

/// A route that fits a request, with its path parameters.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

/// All routes of a template.
#[derive(Debug)]
pub(in crate::cloud) struct Routes(Vec<Route>);

/// How specific a route fits: a fixed segment before a parameter, a parameter before a greedy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Greedy,
    Parameter,
    Fixed,
}

impl Routes {
    /// The routes of a template's functions.
    pub(in crate::cloud) fn of(template: &Template) -> Self {
        let mut routes = Vec::new();
        for function in template.functions.values() {
            for event in function.events.values() {
                if let Event::Http { method, path } = event {
                    let (method, path) = (method.clone(), path.clone());
                    routes.push(Route { method, path, function: function.name.clone() });
                }
            }
        }
        routes.sort_by(|left, right| (&left.path, &left.method).cmp(&(&right.path, &right.method)));
        Self(routes)
    }

    pub(in crate::cloud) fn all(&self) -> &[Route] {
        &self.0
    }

    pub(super) fn find(&self, method: &str, path: &str) -> Option<Found<'_>> {
        let fits = self.0.iter().filter(|route| route.method == method || route.method == "ANY");
        let fits = fits.filter_map(|route| {
            let (fit, parameters) = matches(&route.path, path)?;
            Some(((fit, route.method != "ANY"), Found { route, parameters }))
        });
        fits.max_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, found)| found)
    }
}

fn matches(pattern: &str, path: &str) -> Option<(Vec<Fit>, BTreeMap<String, String>)> {
    let (mut fit, mut parameters) = (Vec::new(), BTreeMap::new());
    if pattern == "$default" {
        return Some((fit, parameters));
    }
    let mut rest = path.strip_prefix('/')?;
    let mut segments = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let parameter = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        if let Some(name) = parameter.and_then(|name| name.strip_suffix('+')) {
            if rest.is_empty() {
                return None;
            }
            parameters.insert(name.to_owned(), decoded(rest));
            fit.push(Fit::Greedy);
            return Some((fit, parameters));
        }
        let (this, next) = match rest.split_once('/') {
            Some((this, next)) => (this, Some(next)),
            None => (rest, None),
        };
        match parameter {
            Some(name) if !this.is_empty() => {
                parameters.insert(name.to_owned(), decoded(this));
                fit.push(Fit::Parameter);
            }
            None if segment == this => fit.push(Fit::Fixed),
            _ => return None,
        }
        match (next, segments.peek()) {
            (Some(next), Some(_)) => rest = next,
            (None, None) => return Some((fit, parameters)),
            _ => return None,
        }
    }
    None
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let route = |method: &str, path: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: format!("{method} {path}"),
        };
        let routes = Routes(vec![
            route("GET", "/orders"),
            route("GET", "/orders/{id}"),
            route("GET", "/orders/latest"),
            route("ANY", "/orders/{id}"),
            route("POST", "/orders/{id}/cancel"),
            route("GET", "/files/{proxy+}"),
            route("GET", "/"),
        ]);
        let found = routes.find(method, path)?;
        Some((found.route.function.clone(), found.parameters.into_iter().collect()))
    }

    #[test]
    fn the_most_specific_route_wins() {
        assert_eq!(found("GET", "/orders").unwrap().0, "GET /orders");
        assert_eq!(found("GET", "/orders/latest").unwrap().0, "GET /orders/latest");
        assert_eq!(found("GET", "/orders/1").unwrap().0, "GET /orders/{id}");
        assert_eq!(found("PUT", "/orders/1").unwrap().0, "ANY /orders/{id}");
        assert_eq!(found("GET", "/").unwrap().0, "GET /");
    }

    #[test]
    fn what_fits_no_route_is_not_found() {
        for (method, path) in [
            ("POST", "/orders"),
            ("GET", "/orders/"),
            ("GET", "/orders/1/2"),
            ("GET", "/files/"),
            ("GET", ""),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn path_parameters_are_decoded() {
        let parameters = |path: &str| found("GET", path).unwrap().1;
        assert_eq!(parameters("/orders/a%20b%2Fc"), [("id".to_owned(), "a b/c".to_owned())]);
        assert_eq!(parameters("/files/a/b.txt"), [("proxy".to_owned(), "a/b.txt".to_owned())]);
    }
}
