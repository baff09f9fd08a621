//! Physical names and ARNs, and the resource types that have a part in running the stack.

use super::TemplateError;

/// The region that every resource is in.
pub const REGION: &str = "us-east-1";
/// The account that every resource belongs to.
pub const ACCOUNT: &str = "000000000000";

/// What a resource type means to the embedded cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    Topic,
    Subscription,
    Queue,
    Function,
    Secret,
    ConfigurationSet,
    EventDestination,
    Role,
    Bucket,
    HttpApi,
    CachePolicy,
    OriginRequestPolicy,
    /// What it does is done here in Rust, and a test holds both to one table.
    EdgeFunction,
    Distribution,
    /// Known, and without a part in running the stack on one machine.
    NotRun,
}

/// Permissions, logs, alarms, graphs, names and limits at the edge: they matter on AWS, and nothing here depends on them.
const NOT_RUN: &[&str] = &[
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::ManagedPolicy",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::WAFv2::WebACL",
];

impl Kind {
    pub(super) fn of(id: &str, resource_type: &str) -> Result<Self, TemplateError> {
        Ok(match resource_type {
            "AWS::DynamoDB::Table" => Self::Table,
            "AWS::SNS::Topic" => Self::Topic,
            "AWS::SNS::Subscription" => Self::Subscription,
            "AWS::SQS::Queue" => Self::Queue,
            "AWS::Serverless::Function" => Self::Function,
            "AWS::Serverless::HttpApi" => Self::HttpApi,
            "AWS::SecretsManager::Secret" => Self::Secret,
            "AWS::SES::ConfigurationSet" => Self::ConfigurationSet,
            "AWS::SES::ConfigurationSetEventDestination" => Self::EventDestination,
            "AWS::IAM::Role" => Self::Role,
            "AWS::CloudFront::CachePolicy" => Self::CachePolicy,
            "AWS::CloudFront::OriginRequestPolicy" => Self::OriginRequestPolicy,
            "AWS::CloudFront::Function" => Self::EdgeFunction,
            "AWS::CloudFront::Distribution" => Self::Distribution,
            "AWS::S3::Bucket" => Self::Bucket,
            other if NOT_RUN.contains(&other) => Self::NotRun,
            other => return Err(TemplateError::new(id, format!("the type {other} is not known here"))),
        })
    }

    /// The property that sets the physical name.
    pub(super) fn name_property(self) -> Option<&'static str> {
        match self {
            Self::Table => Some("TableName"),
            Self::Queue => Some("QueueName"),
            Self::Function => Some("FunctionName"),
            Self::ConfigurationSet | Self::Secret => Some("Name"),
            Self::Bucket => Some("BucketName"),
            Self::EventDestination
            | Self::Topic
            | Self::Subscription
            | Self::Role
            | Self::HttpApi
            | Self::CachePolicy
            | Self::OriginRequestPolicy
            | Self::EdgeFunction
            | Self::Distribution
            | Self::NotRun => None,
        }
    }
}

/// A resource with its physical name.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) kind: Kind,
    pub(super) name: String,
}

impl Named {
    /// What `Ref` gives.
    pub(super) fn reference(&self) -> String {
        match self.kind {
            Kind::Topic | Kind::Secret => self.arn(),
            Kind::Queue => queue_url(&self.name),
            _ => self.name.clone(),
        }
    }

    /// What `Fn::GetAtt` gives, for the attributes that a runtime property may use.
    pub(super) fn attribute(&self, attribute: &str) -> Option<String> {
        match (self.kind, attribute) {
            (Kind::Table | Kind::Queue | Kind::Function | Kind::Role | Kind::Bucket, "Arn")
            | (Kind::EdgeFunction, "FunctionARN") => Some(self.arn()),
            (Kind::Table, "StreamArn") => Some(stream_arn(&self.name)),
            (Kind::Queue, "QueueName") => Some(self.name.clone()),
            _ => None,
        }
    }

    fn arn(&self) -> String {
        match self.kind {
            Kind::Table => table_arn(&self.name),
            Kind::Topic => topic_arn(&self.name),
            Kind::Queue => queue_arn(&self.name),
            Kind::Function => function_arn(&self.name),
            Kind::Secret => secret_arn(&self.name),
            Kind::Role => role_arn(&self.name),
            Kind::Bucket => bucket_arn(&self.name),
            Kind::ConfigurationSet => configuration_set_arn(&self.name),
            Kind::EventDestination
            | Kind::Subscription
            | Kind::HttpApi
            | Kind::CachePolicy
            | Kind::OriginRequestPolicy
            | Kind::EdgeFunction
            | Kind::Distribution
            | Kind::NotRun => {
                format!("arn:aws:local:{REGION}:{ACCOUNT}:{}", self.name)
            }
        }
    }
}

/// A queue's URL. Nothing listens there: the connector takes the call before it leaves the process.
pub(crate) fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

pub(crate) fn topic_arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

pub(crate) fn configuration_set_arn(name: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}")
}

pub(crate) fn bucket_arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

pub(crate) fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}")
}

pub(crate) fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

pub(crate) fn stream_arn(table: &str) -> String {
    format!("{}/stream/local", table_arn(table))
}

pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// The logical id of the role that SAM makes for a function.
pub(super) fn role_of(function: &str) -> String {
    format!("{function}Role")
}

/// The ARN of a caller that is neither a function nor has taken a role.
pub(crate) fn user_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}
