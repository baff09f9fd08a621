//! A redrive, as its writes have made it.

use anyhow::{Context, Result};
use shop_local::template::Template;

use super::{Invariants, Service};

pub(super) const INVARIANTS: Invariants =
    Invariants::NoneBecause("nobody in a run asks for a redrive yet (simulation/src/workload)");

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        Ok(Self { table: template.tables.get("RedrivesTable").context("RedrivesTable")?.name.clone() })
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "redrives"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }
}
