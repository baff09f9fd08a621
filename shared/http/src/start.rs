//! How a route starts: its environment, one client for all that it asks, and the secret that is read with the keys.

use aws_sdk_dynamodb::Client;
use shop_auth::{AccountReader, ServiceSecret, Verifier};
use shop_lambda::{Clock, Environment, Random, StartError};

use crate::Edge;

/// What a route is made of.
#[derive(Debug)]
pub struct Start {
    environment: Environment,
    client: Client,
    secret: Option<ServiceSecret>,
}

impl Start {
    /// The start in an environment.
    pub(crate) fn new(environment: Environment) -> Self {
        let client = Client::new(environment.sdk_config());
        Self { environment, client, secret: None }
    }

    /// Where it starts.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The value of a variable that must be set.
    ///
    /// # Errors
    /// Names the variable when it is missing or empty.
    pub fn required(&self, name: &str) -> Result<&str, StartError> {
        self.environment.required(name)
    }

    /// The function's client of DynamoDB: there is one, so that its connection is made once.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.environment.clock()
    }

    /// The source of randomness.
    #[must_use]
    pub fn random(&self) -> Random {
        self.environment.random()
    }

    /// The service's secret in the table that a variable names. It is read after the route was made, in the call
    /// that reads the signing keys.
    ///
    /// # Errors
    /// Names the variable when it is missing or empty.
    pub fn service_secret(&mut self, variable: &str) -> Result<ServiceSecret, StartError> {
        let secret = ServiceSecret::new(self.client(), self.required(variable)?, self.random());
        self.secret = Some(secret.clone());
        Ok(secret)
    }

    /// What tells where a request came from, for a route that counts by it.
    ///
    /// # Errors
    /// `EDGE_SECRET` is not set. It may be empty.
    pub fn edge(&self) -> Result<Edge, StartError> {
        Edge::start(&self.environment)
    }

    /// The reader of accounts and their sessions.
    ///
    /// # Errors
    /// `USERS_TABLE` or `SESSIONS_TABLE` is not set.
    pub fn accounts(&self) -> Result<AccountReader, StartError> {
        AccountReader::start(&self.environment, &self.client)
    }

    /// The verifier of the callers' tokens, with the keys that are published by now.
    ///
    /// # Errors
    /// A variable that is not set, by its name.
    pub(crate) async fn verifier(self) -> Result<Verifier, StartError> {
        Verifier::start_with(&self.environment, &self.client, self.secret).await
    }

    /// Names a variable of the verifier that is missing: before the route makes any call.
    ///
    /// # Errors
    /// The variable.
    pub(crate) fn check_verifier(&self) -> Result<(), StartError> {
        Verifier::VARIABLES.iter().try_for_each(|name| self.required(name).map(drop))
    }
}
