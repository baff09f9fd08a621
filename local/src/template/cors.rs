//! Which pages of other origins may use the HTTP API: its `CorsConfiguration`.

use serde_yaml_ng::Value;

use super::intrinsic::Resolver;
use super::{Properties, TemplateError};

/// What API Gateway answers browsers with, itself: no function is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, each as `https://shop.example`.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Request headers.
    pub headers: Vec<String>,
    /// Response headers that a page may read.
    pub exposed: Vec<String>,
    /// Seconds for which a browser keeps the answer.
    pub max_age: Option<i64>,
}

impl Cors {
    /// Reads it of an HTTP API's properties, of which it is the only part that runs here; none without one.
    pub(super) fn read(
        id: &str,
        api: Option<&Value>,
        resolver: &Resolver<'_>,
    ) -> Result<Option<Self>, TemplateError> {
        let at = format!("{id}.CorsConfiguration");
        let Some(value) = api.and_then(|api| api.get("CorsConfiguration")) else { return Ok(None) };
        let Some(value) = resolver.resolve(value, &at)? else { return Ok(None) };
        let mut cors = Properties::new(at, value)?;
        let read = Self {
            origins: cors.texts("AllowOrigins")?,
            methods: cors.texts("AllowMethods")?,
            headers: cors.texts("AllowHeaders")?,
            exposed: cors.texts("ExposeHeaders")?,
            max_age: cors.number("MaxAge")?,
        };
        cors.finish()?;
        Ok(Some(read))
    }
}
