//! The ends of manifests: the `[[bin]]` of every function, and the routes of `cargo lambda watch`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use services::SERVICES;

use crate::output::Output;

/// The line after which a manifest is written.
const MARK: &str = "# What follows is written by `cargo xtask sync`.";

pub(crate) fn write(output: &mut Output) -> Result<()> {
    for service in SERVICES {
        let mut bins = String::new();
        for function in service.functions() {
            // To a String it cannot fail.
            let _ = write!(bins, "\n[[bin]]\nname = {:?}\ntest = false\ndoc = false\n", function.name());
        }
        end(output, &format!("functions/{}/Cargo.toml", service.name), &bins)?;
    }
    end(output, "Cargo.toml", &watch())
}

/// The routes by path, in the order of the registry. Methods are always named, so that a wrong one is not answered
/// by another function.
fn watch() -> String {
    let mut paths: Vec<(&str, Vec<String>)> = Vec::new();
    for route in services::routes() {
        let path = route.endpoint.path;
        let entry = format!(
            "{{ method = {:?}, function = {:?} }}",
            route.endpoint.method.as_str(),
            route.function.name()
        );
        match paths.iter_mut().find(|(other, _)| *other == path) {
            Some((_, entries)) => entries.push(entry),
            None => paths.push((path, vec![entry])),
        }
    }
    let mut text = "[workspace.metadata.lambda.watch.router]\n".to_owned();
    for (path, entries) in paths {
        let _ = match entries.as_slice() {
            [one] => writeln!(text, "{path:?} = [{one}]"),
            many => writeln!(text, "{path:?} = [\n    {},\n]", many.join(",\n    ")),
        };
    }
    text
}

fn end(output: &mut Output, path: &str, written: &str) -> Result<()> {
    let text = output.text(path)?;
    let (by_hand, _) = text.split_once(MARK).with_context(|| format!("{path} has no line {MARK}"))?;
    output.put(path, format!("{by_hand}{MARK}\n{written}"));
    Ok(())
}
