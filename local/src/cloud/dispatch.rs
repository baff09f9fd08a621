//! One request on its way from the connector to a service and back: who may make it, what disturbs it, who is told.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;

use super::core::Core;
use super::dynamodb::{self, DynamoDb};
use super::edge::Edge;
use super::environment::Place;
use super::interceptor::Fault;
use super::observer::{Access, Call, Outcome, Service, Units};
use super::respond::respond;
use super::s3::Answer;
use super::ses::Ses;
use super::{AwsError, edge, s3, secrets, ses, sns, sqs};

enum Request {
    /// With the body that it was read from.
    DynamoDb(Box<dynamodb::Request>, Bytes),
    Sns(sns::Request),
    Sqs(sqs::Request),
    Secrets(secrets::Request),
    Ses(Box<ses::Request>),
    CloudFront(edge::Invalidation),
    S3(Box<s3::Request>),
}

impl Request {
    /// Reads a request. `resource` is what its path names, where the operation has it there. One of S3 is more than its
    /// body, so that it is read of the whole.
    fn decode(service: Service, operation: &str, resource: &str, body: &Bytes) -> Result<Self, AwsError> {
        Ok(match service {
            Service::DynamoDb => {
                Self::DynamoDb(Box::new(dynamodb::Request::parse(operation, body)?), body.clone())
            }
            Service::Sns => Self::Sns(sns::Request::parse(body)?),
            Service::Sqs => Self::Sqs(sqs::Request::parse(operation, body)?),
            Service::SecretsManager => Self::Secrets(secrets::Request::parse(operation, body)?),
            Service::Ses => Self::Ses(Box::new(ses::Request::parse(body)?)),
            Service::CloudFront => Self::CloudFront(edge::Invalidation::parse(resource, body)?),
            Service::S3 => return Err(AwsError::client("NotImplemented", operation)),
        })
    }

    fn accesses(&self, ses: &Ses) -> Vec<Access> {
        match self {
            Self::DynamoDb(request, _) => request.accesses(),
            Self::Sns(request) => request.accesses(),
            Self::Sqs(request) => request.accesses(),
            Self::Secrets(request) => request.accesses(),
            Self::Ses(request) => ses.accesses(request),
            Self::CloudFront(request) => Edge::accesses(request),
            Self::S3(request) => request.accesses(),
        }
    }
}

/// The service and operation that a request addresses, and what its path names besides. Four services name no target:
/// S3, SES and CloudFront have a path for each operation, and SNS a form that names the action. Which of them it is, the
/// signature says; of all but S3 there is one operation here, and S3's follows from the request.
fn target(request: &HttpRequest) -> Option<(Service, &str, &str)> {
    let Some(target) = request.headers().get("x-amz-target") else {
        let is_post_to = |path| request.method() == "POST" && self::path(request.uri()) == path;
        return match signed_for(request)? {
            "sns" => Some((Service::Sns, "PublishBatch", "")),
            "s3" => Some((Service::S3, "", "")),
            "ses" if is_post_to(ses::PATH) => Some((Service::Ses, "SendEmail", "")),
            "cloudfront" if request.method() == "POST" => {
                let distribution = edge::Invalidation::addressed(path(request.uri()))?;
                Some((Service::CloudFront, "CreateInvalidation", distribution))
            }
            _ => None,
        };
    };
    let (prefix, operation) = target.split_once('.')?;
    let service = match prefix {
        "AmazonSQS" => Service::Sqs,
        "secretsmanager" => Service::SecretsManager,
        prefix if prefix.starts_with("DynamoDB_") => Service::DynamoDb,
        _ => return None,
    };
    Some((service, operation, ""))
}

/// The service of a signature's scope: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn signed_for(request: &HttpRequest) -> Option<&str> {
    let signature = request.headers().get("authorization")?;
    signature.split_once("Credential=")?.1.split(',').next()?.split('/').nth(3)
}

/// The path of an absolute URI.
fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    path.split('?').next().unwrap_or_default()
}

/// Why a call gets no answer.
enum Lost {
    Disconnected,
    Crashed,
}

impl Core {
    /// Answers one request of a caller. Every call passes the interceptor and the observers.
    ///
    /// # Errors
    /// When the caller is to get no answer, or the request is for no service that is emulated.
    pub(super) async fn call(
        &self,
        place: &Place,
        request: &HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let Some((service, operation, resource)) = target(request) else {
            return Err(ConnectorError::user("the embedded cloud does not know this service".into()));
        };
        let Some(body) = request.body().bytes() else {
            return Err(ConnectorError::user("the embedded cloud takes no streamed bodies".into()));
        };
        let body = Bytes::copy_from_slice(body);
        let request_id = self.random.uuid();
        let decoded = if service == Service::S3 {
            let headers = request.headers().iter();
            let read = s3::Request::parse(request.method(), request.uri(), headers, body.clone());
            read.map(|request| Request::S3(Box::new(request)))
        } else {
            Request::decode(service, operation, resource, &body)
        };
        match decoded {
            Ok(request) => self.carry_out(place, service, operation, request, body, &request_id).await,
            Err(error) => respond(service, Err(error), &request_id),
        }
    }

    /// Answers a request that comes with a presigned URL: its signer's, wherever it comes from.
    ///
    /// # Errors
    /// As [`Core::call`].
    pub(super) async fn presigned(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ConnectorError> {
        let request_id = self.random.uuid();
        let (parts, body) = request.into_parts();
        let headers =
            parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let uri = parts.uri.to_string();
        let read = self.s3.signer(&parts).and_then(|signer| {
            Ok((signer, s3::Request::parse(parts.method.as_str(), &uri, headers, body.clone())?))
        });
        let answer = match read {
            Err(error) => respond(Service::S3, Err(error), &request_id),
            Ok((signer, request)) => {
                let (place, request) = (Place::outside(&signer), Request::S3(Box::new(request)));
                self.carry_out(&place, Service::S3, "", request, body, &request_id).await
            }
        }?;
        let answer = answer.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?;
        Ok(answer.map(|body| body.bytes().map(Bytes::copy_from_slice).unwrap_or_default()))
    }

    async fn carry_out(
        &self,
        place: &Place,
        service: Service,
        operation: &str,
        request: Request,
        body: Bytes,
        request_id: &str,
    ) -> Result<HttpResponse, ConnectorError> {
        let operation = match &request {
            Request::S3(request) => request.operation(),
            _ => operation,
        };
        let call = Call {
            caller: Arc::clone(&place.caller),
            environment: place.number,
            service,
            operation: operation.to_owned(),
            accesses: request.accesses(&self.ses),
            body,
        };
        let leading_keys = match &request {
            Request::DynamoDb(request, _) => self.dynamodb.leading_keys(request),
            _ => Vec::new(),
        };
        self.latency().await;
        let mut units = Vec::new();
        let answer = match self.authorize(place, &call, &leading_keys) {
            Err(error) => Err(error),
            Ok(()) => match self.intercept(request, &call, request_id, &mut units).await {
                Ok(answer) => answer,
                Err(lost) => return self.lost(lost, place, &call, &units).await,
            },
        };
        let error = answer.as_ref().err().map(|error| error.code.as_str());
        self.called(&call, &Outcome { units: &units, error });
        respond(service, answer, request_id)
    }

    /// Carries a call out, as far as the interceptor lets it.
    async fn intercept(
        &self,
        request: Request,
        call: &Call,
        request_id: &str,
        units: &mut Vec<(String, Units)>,
    ) -> Result<Result<Answer, AwsError>, Lost> {
        let Some(interceptor) = &self.interceptor else {
            let answer = self.apply(request, call, request_id, units).await;
            self.latency().await;
            return Ok(answer);
        };
        let answer = match interceptor.before(call).await {
            Some(fault) => fault.answer()?,
            None => match interceptor.rewrite(call) {
                None => self.apply(request, call, request_id, units).await,
                Some(bodies) => self.apply_all(bodies, call, request_id, units).await,
            },
        };
        self.latency().await;
        match interceptor.after(call).await {
            Some(fault) => fault.answer(),
            None => Ok(answer),
        }
    }

    async fn lost(
        &self,
        lost: Lost,
        place: &Place,
        call: &Call,
        units: &[(String, Units)],
    ) -> Result<HttpResponse, ConnectorError> {
        let error = match lost {
            Lost::Disconnected => "Disconnected",
            Lost::Crashed => "Crashed",
        };
        self.called(call, &Outcome { units, error: Some(error) });
        if let (Lost::Crashed, Some(crash)) = (lost, &place.crash) {
            crash.cancel();
            return std::future::pending().await;
        }
        Err(ConnectorError::io("the connection was lost".into()))
    }

    /// Carries out other requests in the place of one.
    async fn apply_all(
        &self,
        bodies: Vec<Vec<u8>>,
        call: &Call,
        request_id: &str,
        units: &mut Vec<(String, Units)>,
    ) -> Result<Answer, AwsError> {
        let mut answer = Answer::from(b"{}".to_vec());
        for (place, body) in bodies.into_iter().map(Bytes::from).enumerate() {
            if place > 0 {
                self.latency().await;
            }
            let resource = call.accesses.first().map_or("", |access| access.resource.as_str());
            let resource = resource.rsplit('/').next().unwrap_or_default();
            let request = Request::decode(call.service, &call.operation, resource, &body)?;
            answer = self.apply(request, call, request_id, units).await?;
        }
        Ok(answer)
    }

    async fn apply(
        &self,
        request: Request,
        call: &Call,
        request_id: &str,
        units: &mut Vec<(String, Units)>,
    ) -> Result<Answer, AwsError> {
        if let Request::S3(mut request) = request {
            if self.interceptor.as_ref().is_some_and(|interceptor| interceptor.ignores_conditions(call)) {
                request.ignore_conditions();
            }
            *units = one_request(call);
            let bucket = request.bucket().to_owned();
            let answer = self.s3.call(*request).await;
            return answer.map_err(|error| self.hidden(error, call, &bucket));
        }
        self.apply_plain(request, call, request_id, units).map(Answer::from)
    }

    /// Whether an object is there is told to nobody who may not list the bucket
    /// ([GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html), Permissions). Uploads are no objects.
    fn hidden(&self, error: AwsError, call: &Call, bucket: &str) -> AwsError {
        let may_list =
            self.grants.get(&*call.caller).is_none_or(|grants| grants.allow("s3:ListBucket", bucket, &[]));
        if error.status != 404 || error.code == "NoSuchUpload" || may_list {
            return error;
        }
        let caller = &call.caller;
        let message = format!("{caller} is not authorized to perform: s3:ListBucket on resource: {bucket}");
        AwsError::denied(Service::S3, message)
    }

    fn apply_plain(
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
            Request::DynamoDb(request, body) => match self.call_dynamodb(*request, &body, call) {
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
                let answer = request.execute(&self.queues, &fails_entry);
                answer.map(|answer| answer.to_string().into_bytes())
            }
            Request::Secrets(request) => {
                *units = one_request(call);
                self.secrets.call(&request).map(|answer| answer.to_string().into_bytes())
            }
            Request::Ses(request) => {
                *units = one_request(call);
                let answer = self.ses.send(*request, &self.topics, &self.queues);
                answer.map(|answer| answer.to_string().into_bytes())
            }
            Request::CloudFront(request) => {
                let paths = Units { requests: request.billed(), ..Units::default() };
                *units = call.accesses.iter().map(|access| (access.resource.clone(), paths)).collect();
                let edge = self.edge.as_ref().ok_or_else(edge::no_such_distribution)?;
                edge.invalidate(&request).map(String::into_bytes)
            }
            Request::S3(request) => Err(AwsError::client("NotImplemented", request.operation())),
        }
    }
}

impl Core {
    fn call_dynamodb(
        &self,
        mut request: dynamodb::Request,
        body: &Bytes,
        call: &Call,
    ) -> Result<dynamodb::Answer, AwsError> {
        let Some(interceptor) = &self.interceptor else {
            return self.dispatch(request, body, call);
        };
        if interceptor.has_stale_reads() && request.may_be_stale() {
            let age = interceptor.staleness(call);
            if !age.is_zero() {
                return self.dynamodb.read_stale(request, age);
            }
        }
        let left = request.leave(|entries| interceptor.leaves_unprocessed(call, entries));
        left.add_to(self.dispatch(request, body, call)?)
    }

    fn dispatch(
        &self,
        request: dynamodb::Request,
        body: &Bytes,
        call: &Call,
    ) -> Result<dynamodb::Answer, AwsError> {
        // Asked only where somebody observes: `cargo run` has nobody, and many writes.
        let is_observed = self.observers.want_writes() && request.writes();
        let written = if is_observed { request.tables() } else { Vec::new() };
        let answer = self.dynamodb.call(request, &call.operation, body)?;
        self.wrote(&call.caller, &written);
        Ok(answer)
    }
}

impl Fault {
    fn answer(self) -> Result<Result<Answer, AwsError>, Lost> {
        match self {
            Self::Error(error) => Ok(Err(error)),
            Self::Disconnected => Err(Lost::Disconnected),
            Self::Crashed => Err(Lost::Crashed),
        }
    }
}

fn one_request(call: &Call) -> Vec<(String, Units)> {
    let units = Units { requests: 1, ..Units::default() };
    call.accesses.iter().map(|access| (access.resource.clone(), units)).collect()
}
