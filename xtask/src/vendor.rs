//! `cargo xtask vendor`: makes the page of the API's documents of Swagger UI's release, whose checksum is written
//! here. The page is committed, so nothing is fetched when the shop is built or run.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::project::Project;

const VERSION: &str = "5.35.0";
/// Of the release's archive, as the registry states it (`npm view swagger-ui-dist@5.35.0 dist.integrity`).
const SHA512: &str = "534eaba4cb56f55dd73c638179a993512af4674f63317e0826e00da44fc465b021c341bc0a0c2bcd4e18997927fe1d3008336c5dd19aad334d1c2dec53cc9551";
/// Where the page starts: the document lies beside it, at whatever path both are served.
const START: &str = r##"window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, displayRequestDuration: true,
});"##;

/// Makes `functions/api/docs/page.html.gz`.
///
/// # Errors
/// When the release cannot be fetched, or is another.
pub(crate) fn vendor(project: &Project) -> Result<()> {
    let folder = project.workshop().join("swagger-ui");
    fs::create_dir_all(&folder)?;
    let archive = folder.join("release.tgz");
    let url = format!("https://registry.npmjs.org/swagger-ui-dist/-/swagger-ui-dist-{VERSION}.tgz");
    process::run(
        Command::new("curl")
            .args(["--fail", "--silent", "--show-error", "--location", "--output"])
            .arg(&archive)
            .arg(url),
    )?;
    let checksum = process::output(Command::new("sha512sum").arg(&archive))?;
    ensure!(checksum.starts_with(SHA512), "{} is another archive: {checksum}", archive.display());
    process::run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder))?;
    let read = |name: &str| {
        let path = folder.join("package").join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let (script, style) = (read("swagger-ui-bundle.js")?, read("swagger-ui.css")?);
    ensure!(
        !script.contains("</script") && !style.contains("</style"),
        "the release does not fit into a page"
    );
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>The shop's API</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>{style}</style>\n</head>\n<body>\n<div id=\"swagger-ui\"></div>\n<script>{script}</script>\n\
         <script>{START}</script>\n</body>\n</html>\n"
    );
    let target = project.root().join("functions/api/docs");
    fs::create_dir_all(&target)?;
    fs::write(target.join("page.html"), page)?;
    process::run(Command::new("gzip").args(["-9", "--no-name", "--force"]).arg(target.join("page.html")))?;
    copy(
        &folder.join("package/swagger-ui-bundle.js.LICENSE.txt"),
        &target.join("swagger-ui-bundle.js.LICENSE.txt"),
    )?;
    copy(&folder.join("package/LICENSE"), &target.join("swagger-ui.LICENSE.txt"))?;
    println!("made {}", target.join("page.html.gz").display());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| from.display().to_string())
}
