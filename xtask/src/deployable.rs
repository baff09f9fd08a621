//! `cargo xtask deployable`: what lies in target/lambda was built for deployment.
//!
//! `sam deploy` takes whatever lies there, and an emulator's builds lie there too: for this machine's processor,
//! and without optimisation.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};

use crate::project::Project;
use crate::sizes::LIMIT_WITH_SEARCH;

/// Where an ELF file says which processor it is for.
const MACHINE: std::ops::Range<usize> = 18..20;

/// The processors that Lambda has, by the values of the template's `Architecture`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Architecture {
    /// The template's default.
    Arm64,
    /// Emulators' on most machines.
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    fn machine(self) -> u16 {
        match self {
            Self::Arm64 => 0xB7,
            Self::X86_64 => 0x3E,
        }
    }
}

/// Looks at the binary of every function.
///
/// # Errors
/// When one is missing, or was built otherwise; the message says how to build them.
pub(crate) fn deployable(project: &Project, architecture: Architecture) -> Result<()> {
    let mut wrong = Vec::new();
    for function in project.functions()? {
        let path = project.bootstrap(&function.name);
        match fs::read(&path) {
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
            Ok(binary) => wrong.extend(
                mistake(&binary, architecture).map(|mistake| format!("{}: {mistake}", path.display())),
            ),
        }
    }
    ensure!(
        wrong.is_empty(),
        "{}\nbuild them: cargo lambda build --release --arm64 -p {}",
        wrong.join("\n"),
        packages(project)?.join(" -p ")
    );
    Ok(())
}

/// The packages that the functions are in.
///
/// # Errors
/// When they cannot be listed.
pub(crate) fn packages(project: &Project) -> Result<Vec<String>> {
    let packages: BTreeSet<_> = project.functions()?.into_iter().map(|function| function.package).collect();
    Ok(packages.into_iter().collect())
}

fn mistake(binary: &[u8], architecture: Architecture) -> Option<String> {
    let machine = binary.get(MACHINE).filter(|_| binary.starts_with(b"\x7fELF"));
    let Some(machine) = machine.and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()) else {
        return Some("it is no program for Linux".to_owned());
    };
    if u16::from_le_bytes(machine) != architecture.machine() {
        return Some(format!("it is for another processor than {architecture:?}").to_lowercase());
    }
    let size = u64::try_from(binary.len()).unwrap_or(u64::MAX);
    (size > LIMIT_WITH_SEARCH).then(|| format!("with {size} bytes it was built without optimisation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u16, length: usize) -> Vec<u8> {
        let mut binary = b"\x7fELF".to_vec();
        binary.resize(MACHINE.start, 0);
        binary.extend(machine.to_le_bytes());
        binary.resize(length, 0);
        binary
    }

    #[test]
    fn only_what_was_built_for_deployment_passes() {
        assert_eq!(mistake(&elf(0xB7, 100), Architecture::Arm64), None);
        assert_eq!(mistake(&elf(0x3E, 100), Architecture::X86_64), None);
        let is = |binary: &[u8], text: &str| {
            let mistake = mistake(binary, Architecture::Arm64).unwrap();
            assert!(mistake.contains(text), "{mistake}");
        };
        is(&elf(0x3E, 100), "another processor than arm64");
        is(&elf(0xB7, 20_000_000), "without optimisation");
        is(b"#!/bin/sh", "no program for Linux");
        is(b"", "no program for Linux");
    }
}
