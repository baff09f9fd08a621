//! An answer as it goes over the wire: each service has its own way to say what it refuses.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::observer::Service;
use super::s3::Answer;
use super::{AwsError, edge, s3, sns};

pub(super) fn respond(
    service: Service,
    answer: Result<Answer, AwsError>,
    request_id: &str,
) -> Result<HttpResponse, ConnectorError> {
    let code = answer.as_ref().err().map(|error| error.code.clone());
    // SQS says its code once more where clients of its older protocol look for it.
    let query_error = match &answer {
        Err(error) if service == Service::Sqs => {
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            Some(format!("{};{fault}", error.code))
        }
        _ => None,
    };
    let (status, own, body) = match answer {
        Ok(answer) => (answer.status, answer.headers, SdkBody::from(answer.body)),
        Err(error) => {
            let body = match service {
                Service::Sns => sns::error_body(&error, request_id),
                Service::S3 => s3::error_body(&error),
                Service::CloudFront => edge::error_body(&error, request_id),
                _ => error.json(),
            };
            (error.status, Vec::new(), SdkBody::from(body))
        }
    };
    let code = code.filter(|_| service == Service::Ses);
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = HttpResponse::new(status, body);
    let kind = match service {
        Service::Sns | Service::CloudFront => "text/xml",
        Service::SecretsManager => "application/x-amz-json-1.1",
        Service::DynamoDb | Service::Sqs => "application/x-amz-json-1.0",
        Service::Ses => "application/json",
        Service::S3 => "application/xml",
    };
    let headers = response.headers_mut();
    if service != Service::S3 || status.as_u16() >= 400 {
        headers.insert("content-type", kind);
    }
    for (name, value) in own {
        headers.insert(name, value);
    }
    headers.insert("x-amzn-requestid", request_id.to_owned());
    // REST services say their code in a header.
    if let Some(code) = code {
        headers.insert("x-amzn-errortype", code);
    }
    if let Some(query_error) = query_error {
        headers.insert("x-amzn-query-error", query_error);
    }
    Ok(response)
}
