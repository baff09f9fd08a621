//! What the dependencies must be: of licences that this project's own allows, and none of the heavy ones
//! twice in a function.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Licences that ask no more than to be named.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];
/// Allowed as well: the roots that TLS trusts are data, and OpenSSL's old text is part of aws-lc's.
const ALLOWED_FOR_DATA_AND_TLS: [&str; 2] = ["CDLA-Permissive-2.0", "OpenSSL"];
/// A second version or a second stack of these costs megabytes in each function (docs/decisions/0003).
const ONLY_ONCE: [&str; 6] = ["http", "hyper", "hyper-rustls", "rustls", "rustls-webpki", "tokio-rustls"];
/// These are the second stack, or the SDK's own client with HTTP/2 (docs/decisions/0071).
const NEVER: [&str; 5] = ["aws-smithy-http-client", "h2", "native-tls", "openssl", "ring"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Every dependency has a licence expression that can be met by the allowed licences.
pub(super) fn licences(project: &Project) -> Result<()> {
    let metadata = process::output(cargo(project).args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("the output of cargo metadata")?;
    let refused: Vec<_> = metadata.packages.iter().filter_map(refusal).collect();
    ensure!(refused.is_empty(), "licences:\n{}", refused.join("\n"));
    println!("{} packages", metadata.packages.len());
    Ok(())
}

fn refusal(package: &Package) -> Option<String> {
    let license = package.license.as_deref().unwrap_or("no licence");
    let allowed = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|requirement| {
            requirement
                .license
                .id()
                .is_some_and(|id| ALLOWED.contains(&id.name) || ALLOWED_FOR_DATA_AND_TLS.contains(&id.name))
        })
    });
    (!allowed).then(|| format!("{} {}: {license}", package.name, package.version))
}

/// In what the functions are made of, the HTTP and TLS crates are there once.
pub(super) fn no_duplicates(project: &Project) -> Result<()> {
    let functions = project.functions()?;
    let mut packages: Vec<_> = functions.iter().map(|function| function.package.as_str()).collect();
    packages.dedup();
    let mut command = cargo(project);
    command.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    let tree = process::output(&mut command)?;
    let mut crates: Vec<_> = tree.lines().filter_map(name_and_version).collect();
    crates.sort_unstable();
    crates.dedup();
    for name in ONLY_ONCE {
        let versions: Vec<_> =
            crates.iter().filter(|(other, _)| *other == name).map(|(_, version)| *version).collect();
        ensure!(versions.len() <= 1, "{name} is there in versions {}", versions.join(", "));
    }
    for name in NEVER {
        ensure!(!crates.iter().any(|(other, _)| *other == name), "{name} is there");
    }
    println!("{} crates in the functions", crates.len());
    Ok(())
}

fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(license: Option<&str>) -> Package {
        let license = license.map(str::to_owned);
        Package { name: "some".to_owned(), version: "1.0.0".to_owned(), license }
    }

    #[test]
    fn a_licence_must_be_one_that_can_be_chosen() {
        for allowed in
            ["MIT", "Apache-2.0 OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"]
        {
            assert_eq!(refusal(&package(Some(allowed))), None, "{allowed}");
        }
        for refused in [Some("GPL-3.0"), Some("MIT AND AGPL-3.0-only"), Some("mine"), None] {
            assert!(refusal(&package(refused)).is_some(), "{refused:?}");
        }
    }

    #[test]
    fn a_line_of_the_tree_has_a_name_and_a_version() {
        assert_eq!(name_and_version("hyper v1.12.0 (*)"), Some(("hyper", "v1.12.0")));
        assert_eq!(name_and_version(""), None);
    }
}
