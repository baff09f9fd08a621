//! The SDK's HTTP connector, ending here instead of at AWS.
//!
//! Clients sign, encode and retry as they do against AWS; nothing of a request is trusted for more than
//! AWS would take it for. Every call passes the interceptor and the observers.

use std::fmt;
use std::sync::{Arc, Weak};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::core::Core;
use super::dynamodb::{self, DynamoDb};
use super::observer::{Access, Call, Fault, Outcome, Service, Units};
use super::{AwsError, secrets, sns, sqs};

/// The connector of one caller.
#[derive(Clone)]
pub(super) struct Connector {
    /// Weak: the cloud keeps the functions, which keep their clients, which keep this.
    pub(super) core: Weak<Core>,
    pub(super) caller: Arc<str>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.caller)
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let core = self.core.upgrade();
        let caller = Arc::clone(&self.caller);
        HttpConnectorFuture::new(async move {
            match core {
                Some(core) => core.call(caller, &request).await,
                None => Err(ConnectorError::io("the cloud has stopped".into())),
            }
        })
    }
}

/// A decoded request.
enum Request {
    DynamoDb(Box<dynamodb::Request>),
    Sns(sns::Request),
    Sqs(sqs::Request),
    Secrets(secrets::Request),
}

impl Request {
    fn decode(service: Service, operation: &str, body: &[u8]) -> Result<Self, AwsError> {
        Ok(match service {
            Service::DynamoDb => Self::DynamoDb(Box::new(dynamodb::Request::parse(operation, body)?)),
            Service::Sns => Self::Sns(sns::Request::parse(body)?),
            Service::Sqs => Self::Sqs(sqs::Request::parse(operation, body)?),
            Service::SecretsManager => Self::Secrets(secrets::Request::parse(operation, body)?),
        })
    }

    fn accesses(&self) -> Vec<Access> {
        match self {
            Self::DynamoDb(request) => request.accesses(),
            Self::Sns(request) => request.accesses(),
            Self::Sqs(request) => request.accesses(),
            Self::Secrets(request) => request.accesses(),
        }
    }
}

/// The service and operation that a request addresses. Only SNS sends no target: its form names the action.
fn target(request: &HttpRequest) -> Option<(Service, &str)> {
    let Some(target) = request.headers().get("x-amz-target") else { return Some((Service::Sns, "Publish")) };
    let (prefix, operation) = target.split_once('.')?;
    let service = match prefix {
        "AmazonSQS" => Service::Sqs,
        "secretsmanager" => Service::SecretsManager,
        prefix if prefix.starts_with("DynamoDB_") => Service::DynamoDb,
        _ => return None,
    };
    Some((service, operation))
}

impl Core {
    async fn call(&self, caller: Arc<str>, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let Some((service, operation)) = target(request) else {
            return Err(ConnectorError::user("the embedded cloud does not know this service".into()));
        };
        let Some(body) = request.body().bytes() else {
            return Err(ConnectorError::user("the embedded cloud takes no streamed bodies".into()));
        };
        let request_id = self.random.uuid();
        let request = match Request::decode(service, operation, body) {
            Ok(request) => request,
            Err(error) => return respond(service, Err(error), &request_id),
        };
        let operation = match &request {
            Request::Sns(request) => request.operation(),
            _ => operation,
        };
        let call = Call { caller, service, operation: operation.to_owned(), accesses: request.accesses() };
        self.latency().await;
        if let Err(error) = self.authorize(&call) {
            self.called(&call, &Outcome { units: &[], error: Some(&error.code) });
            return respond(service, Err(error), &request_id);
        }
        let before = match &self.interceptor {
            Some(interceptor) => interceptor.before(&call).await,
            None => None,
        };
        let mut units = Vec::new();
        let answer = match before {
            Some(Fault::Error(error)) => Err(error),
            Some(Fault::Disconnected) => return self.disconnected(&call, &units),
            None => self.take_effect(request, &call, &request_id, &mut units).await,
        };
        self.latency().await;
        let after = match &self.interceptor {
            Some(interceptor) => interceptor.after(&call).await,
            None => None,
        };
        let answer = match after {
            Some(Fault::Error(error)) => Err(error),
            Some(Fault::Disconnected) => return self.disconnected(&call, &units),
            None => answer,
        };
        let error = answer.as_ref().err().map(|error| error.code.as_str());
        self.called(&call, &Outcome { units: &units, error });
        respond(service, answer, &request_id)
    }

    fn disconnected(&self, call: &Call, units: &[(String, Units)]) -> Result<HttpResponse, ConnectorError> {
        self.called(call, &Outcome { units, error: Some("Disconnected") });
        Err(ConnectorError::io("the connection was lost".into()))
    }

    async fn take_effect(
        &self,
        request: Request,
        call: &Call,
        request_id: &str,
        units: &mut Vec<(String, Units)>,
    ) -> Result<Vec<u8>, AwsError> {
        let fails_entry = |entry: &str| {
            self.interceptor.as_ref().and_then(|interceptor| interceptor.fails_entry(call, entry))
        };
        match request {
            Request::DynamoDb(request) => match self.dynamodb.call(*request) {
                Ok(answer) => {
                    *units = answer.units;
                    Ok(answer.body)
                }
                Err(error) => {
                    *units = DynamoDb::cost_of_failure(&error, &call.accesses);
                    Err(error)
                }
            },
            Request::Sns(request) => {
                *units = request.units();
                let answer = request.execute(&self.topics, &self.queues, &fails_entry, request_id);
                answer.map(String::into_bytes)
            }
            Request::Sqs(request) => {
                *units = one_request(call);
                let answer = request.execute(&self.queues, &self.clock, &fails_entry).await;
                answer.map(|answer| answer.to_string().into_bytes())
            }
            Request::Secrets(request) => {
                *units = one_request(call);
                self.secrets.call(&request).map(|answer| answer.to_string().into_bytes())
            }
        }
    }
}

fn one_request(call: &Call) -> Vec<(String, Units)> {
    let units = Units { requests: 1, ..Units::default() };
    call.accesses.iter().map(|access| (access.resource.clone(), units)).collect()
}

fn respond(
    service: Service,
    answer: Result<Vec<u8>, AwsError>,
    request_id: &str,
) -> Result<HttpResponse, ConnectorError> {
    // SQS says its code once more where clients of its older protocol look for it.
    let query_error = match &answer {
        Err(error) if service == Service::Sqs => {
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            Some(format!("{};{fault}", error.code))
        }
        _ => None,
    };
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err(error) if service == Service::Sns => (error.status, sns::error_body(&error, request_id)),
        Err(error) => (error.status, error.json()),
    };
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    let kind = match service {
        Service::Sns => "text/xml",
        Service::SecretsManager => "application/x-amz-json-1.1",
        Service::DynamoDb | Service::Sqs => "application/x-amz-json-1.0",
    };
    let headers = response.headers_mut();
    headers.insert("content-type", kind);
    headers.insert("x-amzn-requestid", request_id.to_owned());
    if let Some(query_error) = query_error {
        headers.insert("x-amzn-query-error", query_error);
    }
    Ok(response)
}
