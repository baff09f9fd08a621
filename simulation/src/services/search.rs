//! The index of the catalogue.

use anyhow::Result;
use shop_local::template::Template;

use super::{Invariants, Service};

pub(super) const INVARIANTS: Invariants = Invariants::NoneBecause("not yet");

#[derive(Debug)]
pub(crate) struct Model;

impl Model {
    #[expect(clippy::unnecessary_wraps, reason = "as every service has it")]
    pub(super) fn of(_template: &Template) -> Result<Self> {
        Ok(Self)
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "search"
    }
}
