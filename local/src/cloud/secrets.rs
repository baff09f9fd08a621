//! Secrets Manager: the template's secrets, generated once and kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::clock::Clock;
use super::observer::Access;
use super::random::Random;
use super::sqs::{Journal, Queues};
use super::{AwsError, CloudError};
use crate::template::{ACCOUNT, REGION, Template};

/// All secrets, by their physical names.
#[derive(Debug)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

#[derive(Debug)]
struct Secret {
    value: String,
    /// Milliseconds since the epoch.
    created: i64,
}

/// `GetSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    /// A name or an ARN.
    secret_id: String,
}

impl Secrets {
    /// Reads the kept secrets and generates those that are missing.
    pub(super) fn open(
        template: &Template,
        queues: &Queues,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, CloudError> {
        let failed = |error| CloudError::state("queues.sqlite", error);
        let kept = queues.with_journal(|journal| journal.map_or(Ok(Vec::new()), Journal::secrets));
        let mut secrets: BTreeMap<String, Secret> = kept
            .map_err(failed)?
            .into_iter()
            .map(|(name, value, created)| (name, Secret { value, created }))
            .collect();
        for secret in template.secrets.values() {
            if secrets.contains_key(&secret.name) {
                continue;
            }
            let value = generate(secret.length, random);
            let created = clock.now();
            queues
                .with_journal(|journal| {
                    journal.map_or(Ok(()), |journal| journal.put_secret(&secret.name, &value, created))
                })
                .map_err(failed)?;
            secrets.insert(secret.name.clone(), Secret { value, created });
        }
        Ok(Self(secrets))
    }

    pub(super) fn call(&self, request: &Request) -> Result<Value, AwsError> {
        let name = request.name();
        let Some(secret) = self.0.get(name) else {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(AwsError::client("ResourceNotFoundException", message));
        };
        Ok(json!({
            "ARN": format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"),
            "Name": name,
            "SecretString": secret.value,
            "VersionId": "00000000-0000-4000-8000-000000000000",
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": secret.created / 1000,
        }))
    }
}

/// How a template names a secret's value where CloudFormation puts it in.
const REFERENCE: &str = "{{resolve:secretsmanager:";

impl Secrets {
    /// A text of the template with the value of the secret that it names, if it names one
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>).
    pub(super) fn resolve(&self, text: &str) -> String {
        let named = text.strip_prefix(REFERENCE).and_then(|rest| rest.strip_suffix(":SecretString}}"));
        let named = named.and_then(|arn| self.0.get(arn.rsplit(':').next()?));
        named.map_or_else(|| text.to_owned(), |secret| secret.value.clone())
    }
}

impl Request {
    pub(super) fn parse(operation: &str, body: &[u8]) -> Result<Self, AwsError> {
        if operation != "GetSecretValue" {
            return Err(AwsError::client("UnknownOperationException", operation));
        }
        serde_json::from_slice(body)
            .map_err(|error| AwsError::client("InvalidRequestException", error.to_string()))
    }

    fn name(&self) -> &str {
        self.secret_id.rsplit(':').next().unwrap_or_default()
    }

    pub(super) fn accesses(&self) -> Vec<Access> {
        let resource = self.name().to_owned();
        vec![Access { action: "secretsmanager:GetSecretValue".to_owned(), resource }]
    }
}

fn generate(length: u32, random: &Random) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let choice = || usize::try_from(random.below(ALPHABET.len() as u64)).unwrap_or(0);
    (0..length).map(|_| char::from(ALPHABET[choice()])).collect()
}
