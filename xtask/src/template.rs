//! template.yaml, as far as these commands must know it: the functions, what calls them, and a copy for
//! `sam local`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_yaml_ng::{Mapping, Value};

use crate::project::Project;

/// What calls a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The HTTP API; the answer has a status.
    Http,
    /// A queue or a stream; the answer lists the items that failed.
    Batch,
    /// Nothing: whoever IAM lets invoke it.
    Nothing,
    /// A schedule, or an operator; the answer says what was done.
    Schedule,
}

/// A function of the template.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// The one name: that of the binary and of the fixture.
    pub(crate) name: String,
    /// What calls it.
    pub(crate) trigger: Trigger,
    /// The environment variables that it is given.
    pub(crate) variables: Vec<String>,
}

/// The template.
#[derive(Debug)]
pub(crate) struct Template(Value);

impl Template {
    /// Reads the checkout's template.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(project: &Project) -> Result<Self> {
        let path = project.root().join("template.yaml");
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self(serde_yaml_ng::from_slice(&text).with_context(|| path.display().to_string())?))
    }

    /// The functions by logical id.
    ///
    /// # Errors
    /// When one has no code, or Events without any.
    pub(crate) fn functions(&self) -> Result<BTreeMap<String, Function>> {
        let mut functions = BTreeMap::new();
        for (id, properties) in functions_of(self.0.get("Resources"))? {
            functions.insert(id.to_owned(), function(properties).with_context(|| id.to_owned())?);
        }
        ensure!(!functions.is_empty(), "template.yaml has no function");
        Ok(functions)
    }

    /// Writes a copy for `sam local`, which hands a container only the variables that the template declares:
    /// the copy declares the variable `extra` for every function, and its code is found from anywhere.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub(crate) fn write_for_sam_local(mut self, project: &Project, extra: &str, copy: &Path) -> Result<()> {
        let resources =
            self.0.get_mut("Resources").and_then(Value::as_mapping_mut).context("no Resources")?;
        for resource in resources.values_mut().filter(|resource| is_function(resource)) {
            let properties = resource.get_mut("Properties").context("a function without Properties")?;
            let code =
                project.root().join(text(properties.get("CodeUri")).context("a function without code")?);
            let properties = properties.as_mapping_mut().context("Properties is no mapping")?;
            properties.insert("CodeUri".into(), code.display().to_string().into());
            let environment = entry(properties, "Environment")?;
            entry(environment, "Variables")?.insert(extra.into(), "".into());
        }
        fs::write(copy, serde_yaml_ng::to_string(&self.0)?)
            .with_context(|| format!("cannot write {}", copy.display()))
    }
}

fn functions_of(resources: Option<&Value>) -> Result<impl Iterator<Item = (&str, &Value)>> {
    let resources = resources.and_then(Value::as_mapping).context("template.yaml has no Resources")?;
    Ok(resources
        .iter()
        .filter(|(_, resource)| is_function(resource))
        .filter_map(|(id, resource)| Some((id.as_str()?, resource.get("Properties")?))))
}

fn is_function(resource: &Value) -> bool {
    text(resource.get("Type")) == Some("AWS::Serverless::Function")
}

fn function(properties: &Value) -> Result<Function> {
    let code = text(properties.get("CodeUri")).context("no CodeUri")?;
    let name = Path::new(code).file_name().and_then(|name| name.to_str()).context("CodeUri has no name")?;
    let trigger = match properties.get("Events").and_then(Value::as_mapping) {
        None => Trigger::Nothing,
        Some(events) => match events.values().next().and_then(|event| text(event.get("Type"))) {
            None => bail!("no event"),
            Some("HttpApi") => Trigger::Http,
            Some("Schedule") => Trigger::Schedule,
            Some(_) => Trigger::Batch,
        },
    };
    let variables = properties.get("Environment").and_then(|environment| environment.get("Variables"));
    let variables = variables.and_then(Value::as_mapping).into_iter().flat_map(Mapping::keys);
    let variables = variables.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    Ok(Function { name: name.to_owned(), trigger, variables })
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

fn entry<'a>(mapping: &'a mut Mapping, key: &str) -> Result<&'a mut Mapping> {
    let value = mapping.entry(key.into()).or_insert_with(|| Mapping::new().into());
    value.as_mapping_mut().with_context(|| format!("{key} is no mapping"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  GetOrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/get-order/
      Environment:
        Variables: { ORDERS_TABLE: !Ref Table }
      Events:
        Http: { Type: HttpApi, Properties: { Path: '/orders/{id}' } }
  SettleOrderFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/settle-order/
      Events:
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
  CreateAdminFunction:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: target/lambda/create-admin/ }
  SweepOrdersFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/sweep-orders/
      Events:
        Schedule: { Type: Schedule, Properties: { Schedule: rate(5 minutes) } }
";

    #[test]
    fn functions_are_read() {
        let functions = Template(serde_yaml_ng::from_str(TEMPLATE).unwrap()).functions().unwrap();
        let get_order = &functions["GetOrderFunction"];
        assert_eq!((get_order.name.as_str(), get_order.trigger), ("get-order", Trigger::Http));
        assert_eq!(get_order.variables, ["ORDERS_TABLE"]);
        let settle_order = &functions["SettleOrderFunction"];
        assert_eq!((settle_order.name.as_str(), settle_order.trigger), ("settle-order", Trigger::Batch));
        assert!(settle_order.variables.is_empty());
        assert_eq!(functions["CreateAdminFunction"].trigger, Trigger::Nothing);
        assert_eq!(functions["SweepOrdersFunction"].trigger, Trigger::Schedule);
    }

    #[test]
    fn the_copy_declares_one_more_variable_and_is_otherwise_the_same() {
        let project = Project::find().unwrap();
        let copy = std::env::temp_dir().join(format!("xtask-{}-template.yaml", std::process::id()));
        let template = Template(serde_yaml_ng::from_str(TEMPLATE).unwrap());
        template.write_for_sam_local(&project, "EXTRA", &copy).unwrap();
        let text = fs::read_to_string(&copy).unwrap();
        fs::remove_file(copy).unwrap();
        assert!(text.contains("!Ref Table") && text.contains("!GetAtt Queue.Arn"), "{text}");
        assert!(
            text.contains(&project.root().join("target/lambda/get-order/").display().to_string()),
            "{text}"
        );
        let functions = Template(serde_yaml_ng::from_str(&text).unwrap()).functions().unwrap();
        assert_eq!(functions["GetOrderFunction"].variables, ["ORDERS_TABLE", "EXTRA"]);
        assert_eq!(functions["SettleOrderFunction"].variables, ["EXTRA"]);
    }
}
