//! A small template in which all is well, and the means to break it: what the tests of the checks need.

use crate::template::Template;

const GOOD: &str = r#"
Parameters:
  Window: { Type: Number, MaxValue: 5 }
Globals:
  Function:
    Timeout: 10
    PermissionsBoundary: !Ref FunctionBoundary
    LoggingConfig: { LogFormat: JSON, LogGroup: !Ref LogGroup }
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 100 }
      RouteSettings:
        POST /orders: { ThrottlingRateLimit: 10 }
      AccessLogSettings:
        DestinationArn: !GetAtt LogGroup.Arn
        Format: $context.routeKey
  LogGroup:
    Type: AWS::Logs::LogGroup
    Properties:
      RetentionInDays: !Ref LogRetentionDays
  FunctionBoundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action:
              - dynamodb:PutItem # boundary
            Resource: [!GetAtt OrdersTable.Arn]
          - Effect: Allow
            Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams]
            Resource: [!GetAtt OrdersTable.StreamArn]
          - Effect: Allow
            Action: [sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage]
            Resource: [!GetAtt PackQueue.Arn]
  PlaceOrderFunction:
    Type: AWS::Serverless::Function
    Metadata: { SkipBuild: true }
    Properties:
      CodeUri: target/lambda/place-order/
      Environment:
        Variables:
          ORDERS_TABLE: !Ref OrdersTable
      Policies:
        - Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt OrdersTable.Arn }
      Events:
        Http: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: POST, Path: /orders } }
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt PackQueue.Arn
            BatchSize: 10
            MaximumBatchingWindowInSeconds: !Ref Window
            FunctionResponseTypes: [ReportBatchItemFailures]
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt OrdersTable.StreamArn
            StartingPosition: TRIM_HORIZON
            MaximumBatchingWindowInSeconds: 0
            ParallelizationFactor: 10
            FunctionResponseTypes: [ReportBatchItemFailures] # relay
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: -1
            DestinationConfig: { OnFailure: { Destination: !GetAtt RelayDeadLetterQueue.Arn } }
  OrdersTable:
    Type: AWS::DynamoDB::Table
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: !If [IsBackedUp, true, false] }
      DeletionProtectionEnabled: !If [IsProtected, true, false]
  RelayDeadLetterQueue: { Type: AWS::SQS::Queue, Properties: { SqsManagedSseEnabled: true } }
  PackQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 65
      SqsManagedSseEnabled: true
      RedrivePolicy: { deadLetterTargetArn: !GetAtt PackDeadLetterQueue.Arn, maxReceiveCount: 5 }
  PackDeadLetterQueue:
    Type: AWS::SQS::Queue
    Properties: { MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true }
  PackSubscription:
    Type: AWS::SNS::Subscription
    Properties:
      Protocol: sqs
      Endpoint: !GetAtt PackQueue.Arn
      RawMessageDelivery: true
      FilterPolicyScope: MessageAttributes
      FilterPolicy:
        type: [order.placed]
  PackQueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref PackQueue]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { Service: sns.amazonaws.com }
            Action: sqs:SendMessage
            Resource: !GetAtt PackQueue.Arn
            Condition: { ArnEquals: { "aws:SourceArn": !Ref EventsTopic } }
          - Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: !GetAtt PackQueue.Arn
            Condition: { Bool: { "aws:SecureTransport": "false" } }
  TokenSecret: { Type: AWS::SecretsManager::Secret }
  RelayAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{ Name: QueueName, Value: !GetAtt RelayDeadLetterQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  PackAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{ Name: QueueName, Value: !GetAtt PackDeadLetterQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  QueueAgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{ Name: QueueName, Value: !GetAtt PackQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  ErrorAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: Errors
      Dimensions: [{ Name: FunctionName, Value: !Ref PlaceOrderFunction }]
      AlarmActions: [!Ref AlarmTopic]
  AgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: IteratorAge
      Dimensions: [{ Name: FunctionName, Value: !Ref PlaceOrderFunction }]
      AlarmActions: [!Ref AlarmTopic]
"#;

/// The template in which all is well.
pub(crate) fn good() -> Template {
    Template::parse(GOOD).unwrap()
}

/// Its text.
pub(crate) const fn text() -> &'static str {
    GOOD
}

/// The same with the first `from` replaced.
pub(crate) fn changed(from: &str, to: &str) -> Template {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from} is not in the template");
    Template::parse(&text).unwrap()
}

/// Asserts that a check says `finding` of the template with `from` replaced.
#[track_caller]
pub(crate) fn finds(check: fn(&Template) -> Vec<String>, from: &str, to: &str, finding: &str) {
    let found = check(&changed(from, to));
    assert!(found.iter().any(|line| line.contains(finding)), "{from} -> {to}: {found:?}");
}
