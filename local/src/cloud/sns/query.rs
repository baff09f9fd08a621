//! The AWS Query protocol as SNS speaks it: a form goes in, XML comes out.

use std::collections::BTreeMap;

use crate::cloud::AwsError;
use crate::cloud::sqs::{Attribute, Attributes};
use crate::cloud::xml::elements;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The fields of a form.
#[derive(Debug)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<String, AwsError> {
        self.take(name).ok_or_else(|| {
            AwsError::client("ValidationError", format!("The request must contain the parameter {name}"))
        })
    }

    /// An error for a field that nobody has taken: what it asks for is not done here.
    pub(super) fn finish(self) -> Result<(), AwsError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(AwsError::client("InvalidParameter", format!("{name} is not known here"))),
        }
    }

    /// Whether any field's name begins so.
    pub(super) fn has(&self, prefix: &str) -> bool {
        self.0.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// Message attributes, under names that begin so.
    pub(super) fn attributes(&mut self, prefix: &str) -> Result<Attributes, AwsError> {
        let mut attributes = Attributes::new();
        for number in 1.. {
            let entry = format!("{prefix}MessageAttributes.entry.{number}.");
            let Some(name) = self.take(&format!("{entry}Name")) else { break };
            let attribute = Attribute {
                data_type: self.required(&format!("{entry}Value.DataType"))?,
                string_value: self.required(&format!("{entry}Value.StringValue"))?,
            };
            attributes.insert(name, attribute);
        }
        Ok(attributes)
    }
}

/// The answer to an action, around the XML of its result.
pub(super) fn response(action: &str, result: &str, request_id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// The answer to a refused action.
pub(in crate::cloud) fn error_body(error: &AwsError, request_id: &str) -> Vec<u8> {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let fields = [("Type", fault), ("Code", &error.code), ("Message", &error.message)];
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{}</Error><RequestId>{request_id}</RequestId>\
         </ErrorResponse>",
        elements(&fields)
    );
    body.into_bytes()
}
