//! Commands that build every service: the packages that they name.

use std::fs;

use anyhow::{Context as _, Result};
use services::SERVICES;

use crate::output::Output;

/// Where there are documents; commands.yaml has their commands once more.
const FOLDERS: [&str; 2] = [".", "docs"];

pub(crate) fn write(output: &mut Output) -> Result<()> {
    for folder in FOLDERS {
        let entries = fs::read_dir(output.root().join(folder)).with_context(|| folder.to_owned())?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        for name in names.collect::<Result<Vec<_>>>()? {
            let is_document = [".md", "commands.yaml"].iter().any(|end| name.ends_with(end));
            let path = if folder == "." { name } else { format!("{folder}/{name}") };
            if is_document && path != "CHANGELOG.md" {
                let text = output.text(&path)?;
                if text.contains(BUILD) {
                    output.put(path, renewed(&text, &packages()));
                }
            }
        }
    }
    Ok(())
}

const BUILD: &str = "cargo lambda build";

/// `-p a -p b`, for every service.
fn packages() -> String {
    SERVICES.iter().map(|service| format!("-p {}", service.name)).collect::<Vec<_>>().join(" ")
}

/// The text with the packages of each build replaced.
fn renewed(text: &str, packages: &str) -> String {
    let mut parts = text.split(BUILD);
    let mut new = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        new.push_str(BUILD);
        match part.find("-p ") {
            Some(at) if !part[..at].contains(['`', '\n']) => {
                let mut rest = &part[at..];
                while let Some(after) = rest.trim_start_matches(' ').strip_prefix("-p ") {
                    rest = after
                        .trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '-');
                }
                new.push_str(&part[..at]);
                new.push_str(packages);
                new.push_str(rest);
            }
            _ => new.push_str(part),
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_names_every_package_and_the_rest_of_the_line_stays() {
        let text = "`cargo lambda build --arm64 -p a -p b-c && sam build -p 1`\n`cargo lambda build`: -p a\n";
        let new = "`cargo lambda build --arm64 -p x -p y && sam build -p 1`\n`cargo lambda build`: -p a\n";
        assert_eq!(renewed(text, "-p x -p y"), new);
        assert_eq!(renewed(new, "-p x -p y"), new);
        assert_eq!(renewed("cargo lambda build -p a", "-p x"), "cargo lambda build -p x");
    }
}
