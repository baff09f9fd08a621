//! `GET /docs`: the API's document as a page to read and to try (Swagger UI, made by `cargo xtask vendor`). The page
//! is one file with all that it needs, and asks for `openapi.json` beside it.

use std::io::Read;

use flate2::read::GzDecoder;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetDocs>();

/// The page, packed by gzip.
const PAGE: &[u8] = include_bytes!("../docs/page.html.gz");

/// What the page may do: run its own two scripts, ask the API, and nothing else. Swagger UI sets styles in attributes.
const POLICY: &str = "default-src 'none'; script-src 'sha256-5qiYaS8tdo6AfDukYmBopposXdlg3Wx28+TTo94YCvI=' 'sha256-k5dMMGA0dhIBF0xJFiwOLxX9y8WoBBcImf1gn+xaalo='; \
    style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub(crate) struct GetDocs;

impl Route for GetDocs {
    const NAME: &'static str = "get-docs";
    const ENDPOINT: Endpoint = get("/docs");
    const ACCESS: Access = Access::Anonymous;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn contract() -> Contract {
        Contract::new("Shows the API's document as a page").text("text/html; charset=utf-8", "The page.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let is_gzip = call.accepts_gzip();
        let page = if is_gzip { PAGE.to_vec() } else { unpacked().map_err(Problem::internal)? };
        let reply = Reply::packed("text/html; charset=utf-8", page, is_gzip);
        Ok(reply.public().content_security_policy(POLICY))
    }
}

fn unpacked() -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    GzDecoder::new(PAGE).read_to_end(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use data_encoding::BASE64;

    use super::*;

    #[test]
    fn the_policy_lets_the_page_s_own_scripts_run_and_no_other() {
        let page = String::from_utf8(unpacked().unwrap()).unwrap();
        let scripts: Vec<_> =
            page.split("\n<script>").skip(1).map(|rest| rest.split_once("</script>").unwrap().0).collect();
        let hashes: Vec<_> = scripts
            .iter()
            .map(|script| format!("'sha256-{}'", BASE64.encode(digest(&SHA256, script.as_bytes()).as_ref())))
            .collect();
        assert!(POLICY.contains(&format!("script-src {};", hashes.join(" "))), "{hashes:?}");
    }
}
