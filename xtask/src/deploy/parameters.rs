//! The template's parameters as an environment of samconfig.toml sets them.
//!
//! All of them are told to `sam`, those with the template's default too: of a stack that is there it lets stay what nobody
//! tells it (<https://github.com/aws/aws-sam-cli/issues/4180>), so that a line that is taken out of samconfig.toml, and a
//! default that has changed, would have no effect.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_yaml_ng::Value;

/// Each parameter's value, by name.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The template's defaults, with what the environment sets otherwise over them.
    ///
    /// # Errors
    /// When either cannot be read, and where the environment sets a parameter that the template does not have.
    pub(super) fn read(template: &str, samconfig: &str, environment: &str) -> Result<Self> {
        let template: Value = serde_yaml_ng::from_str(template).context("template.yaml")?;
        let parameters = template["Parameters"].as_mapping().context("template.yaml has no parameters")?;
        let mut values = BTreeMap::new();
        for (name, parameter) in parameters {
            let name = name.as_str().context("a parameter's name")?.to_owned();
            let default = text(&parameter["Default"]).with_context(|| format!("{name} has no default"))?;
            values.insert(name, default);
        }
        let samconfig: toml::Table = samconfig.parse().context("samconfig.toml")?;
        let overrides = samconfig
            .get(environment)
            .and_then(|environment| environment.get("global")?.get("parameters")?.get("parameter_overrides"))
            .and_then(toml::Value::as_array)
            .with_context(|| format!("samconfig.toml has no parameter_overrides of {environment}"))?;
        for given in overrides {
            let given = given.as_str().unwrap_or_default();
            let (name, value) = given.split_once('=').with_context(|| format!("{given}: not NAME=VALUE"))?;
            match values.get_mut(name) {
                Some(stored) => unquoted(value).clone_into(stored),
                None => bail!("samconfig.toml, {environment}: the template has no parameter {name}"),
            }
        }
        Ok(Self(values))
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// As `sam deploy --parameter-overrides` takes them. Without quotation marks a value would end at its first space, and an
    /// empty one be refused.
    pub(super) fn overrides(&self) -> Vec<String> {
        let quoted = |value: &str| value.replace('\\', r"\\").replace('"', r#"\""#);
        self.0.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect()
    }
}

/// What CloudFormation takes a scalar for.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

/// Quotation marks are for who calls `sam` without us.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Parameters:\n  Name: { Type: String, Default: The shop }\n  From: { Type: String, \
                            Default: \"\" }\n  Days: { Type: Number, Default: 30 }\n  Keep: { Type: String, Default: true }\n";

    fn of(overrides: &str) -> Result<Vec<String>> {
        let samconfig = format!("[dev.global.parameters]\nparameter_overrides = [{overrides}]\n");
        Parameters::read(TEMPLATE, &samconfig, "dev").map(|parameters| parameters.overrides())
    }

    #[test]
    fn every_parameter_is_told_also_one_that_nobody_sets() {
        let defaults = ["Days=\"30\"", "From=\"\"", "Keep=\"true\"", "Name=\"The shop\""];
        assert_eq!(of("").unwrap(), defaults);
        assert_eq!(of("\"From=\", 'Name=\"The shop\"'").unwrap(), defaults);
        let said = of(r#""From=a@b.example", 'Name=Ada "and" \ Sons', "Days=7""#).unwrap();
        let expected =
            ["Days=\"7\"", "From=\"a@b.example\"", "Keep=\"true\"", r#"Name="Ada \"and\" \\ Sons""#];
        assert_eq!(said, expected);
    }

    #[test]
    fn what_the_template_does_not_have_is_refused() {
        for wrong in ["\"Nmae=a\"", "\"Name\"", "7"] {
            of(wrong).unwrap_err();
        }
        Parameters::read(TEMPLATE, "", "dev").unwrap_err();
    }

    #[test]
    fn each_environment_sets_what_there_is() {
        let root = crate::project::Project::find().unwrap().root().to_owned();
        let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
        for environment in ["default", "dev", "prod-first", "prod", "local"] {
            let parameters =
                Parameters::read(&read("template.yaml"), &read("samconfig.toml"), environment).unwrap();
            assert!(parameters.get("TokenIssuer").starts_with("urn:shop"), "{environment}");
        }
    }
}
