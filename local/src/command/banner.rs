//! The text that a person reads first: at the start, and at `GET /`.

use std::fmt;
use std::path::Path;

use shop_local::cloud::Route;
use shop_local::demo::Seeded;
use shop_local::gateway::DEMO_EMAIL;

pub(super) struct Banner<'a> {
    pub(super) port: u16,
    /// The folder that keeps the state; none in memory.
    pub(super) data: Option<&'a Path>,
    /// What became of the demo products; none without the demo.
    pub(super) demo: Option<Seeded>,
    pub(super) routes: &'a [Route],
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = format!("http://localhost:{}", self.port);
        writeln!(f, "The shop is open at {base} (its API under {base}/api, too), on this machine only.\n")?;
        writeln!(f, "  pages     {base} for shoppers, {base}/console for operators")?;
        match self.data {
            Some(folder) => writeln!(f, "  state     kept in {}", folder.display())?,
            None => writeln!(f, "  state     in memory, gone at the end")?,
        }
        match self.demo {
            Some(Seeded { added, left_alone }) => {
                writeln!(f, "  identity  a request without a token acts as {DEMO_EMAIL}, an administrator")?;
                writeln!(f, "  products  {added} demo products put in, {left_alone} left as they were")?;
            }
            None => writeln!(f, "  identity  a request without a token acts as a guest (--no-demo)")?,
        }
        writeln!(f, "  mailbox   {base}/mailbox: what the shop has written to people")?;
        writeln!(
            f,
            "  routes    {}, each a function of template.yaml, all in this process",
            self.routes.len()
        )?;
        for Route { method, path, function, .. } in self.routes {
            writeln!(f, "            {method:<6} {path:<22} {function}")?;
        }
        if self.demo.is_none() {
            writeln!(
                f,
                "\nNothing is for sale yet, and there is no administrator but those who were made before:\n"
            )?;
            let admin = match self.data {
                Some(_) => "cargo xtask admin --email you@example.com     (while the shop is stopped)",
                None => "cargo run -- --no-demo --memory --admin you@example.com",
            };
            writeln!(f, "  {admin}")?;
            return writeln!(f, "  curl {base}/products");
        }
        writeln!(f, "\nPlace an order, then read it by its id until it is confirmed:\n")?;
        writeln!(f, "  curl -X POST {base}/orders/ -H 'Content-Type: application/json' \\")?;
        let order =
            r#"{"items": [{"product_id": "prod-1", "quantity": 2, "price": 29.99}], "total_amount": 59.98}"#;
        writeln!(f, "    -d '{order}'")?;
        writeln!(f, "  curl {base}/orders/ORDER_ID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_state_is_and_who_a_request_acts_as() {
        let routes = [Route {
            method: "GET".to_owned(),
            path: "/orders".to_owned(),
            function: "list-orders".to_owned(),
        }];
        let demo = Some(Seeded { added: 28, left_alone: 0 });
        let text = Banner { port: 8000, data: Some(Path::new("/data")), demo, routes: &routes }.to_string();
        for part in ["http://localhost:8000", "kept in /data", DEMO_EMAIL, "28 demo products", "list-orders"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        let text = Banner { port: 1, data: None, demo: None, routes: &[] }.to_string();
        for part in ["in memory", "as a guest", "--memory --admin"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains("prod-1"), "an empty shop has nothing to order: {text}");
        let text = Banner { port: 1, data: Some(Path::new("/data")), demo: None, routes: &[] }.to_string();
        assert!(text.contains("cargo xtask admin"), "{text}");
    }
}
