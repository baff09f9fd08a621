//! A small template in which all is well, and the means to break it: what the tests of the checks need.

use crate::template::Template;

const GOOD: &str = r#"
Parameters:
  Window: { Type: Number, MaxValue: 5 }
Conditions:
  TellsOfMails: !And [!Condition HasMails, !Condition HasAlarmEmail]
Globals:
  Function:
    Timeout: 10
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
      LogGroupName: /aws/vendedlogs/apis
      RetentionInDays: !Ref LogRetentionDays
  PlaceOrderBoundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - !If [IsTraced, { Effect: Allow, Action: [xray:PutTelemetryRecords, xray:PutTraceSegments], Resource: "*" }, !Ref AWS::NoValue]
          - Effect: Allow
            Action:
              - dynamodb:PutItem # boundary
            Resource: [!GetAtt OrdersTable.Arn] # boundary
          - Effect: Allow
            Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams]
            Resource: !GetAtt OrdersTable.StreamArn # boundary
          - Effect: Allow
            Action: [sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage]
            Resource: !GetAtt PackQueue.Arn # boundary
          - { Effect: Allow, Action: sns:Publish, Resource: !Ref EventsTopic }
          - { Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt RelayDeadLetterQueue.Arn }
  PlaceOrderFunction:
    Type: AWS::Serverless::Function
    Metadata: { SkipBuild: true }
    Properties:
      CodeUri: target/lambda/place-order/
      PermissionsBoundary: !Ref PlaceOrderBoundary
      Environment:
        Variables:
          ORDERS_TABLE: !Ref OrdersTable
          QUEUE_URL: !Ref PackQueue
      Policies:
        - Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt OrdersTable.Arn }
            - { Effect: Allow, Action: sns:Publish, Resource: !Ref EventsTopic }
            - { Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt RelayDeadLetterQueue.Arn }
            - { Effect: Allow, Action: sqs:ChangeMessageVisibility, Resource: !GetAtt PackQueue.Arn } # retries
      Events:
        Http: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: POST, Path: /orders } }
        Schedule: { Type: Schedule, Properties: { Schedule: rate(1 day) } }
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt PackQueue.Arn
            BatchSize: 10
            MaximumBatchingWindowInSeconds: !Ref Window
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: { MaximumConcurrency: 2 }
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
            MaximumRecordAgeInSeconds: 82800
            DestinationConfig: { OnFailure: { Destination: !GetAtt RelayDeadLetterQueue.Arn } }
  OrdersTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: !If [IsBackedUp, true, false] }
      DeletionProtectionEnabled: !If [IsProtected, true, false]
  EventsTopic: { Type: AWS::SNS::Topic }
  EventsTopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref EventsTopic]
      PolicyDocument:
        Statement:
          - Effect: Deny # publish
            Principal: "*"
            Action: sns:Publish
            Resource: !Ref EventsTopic # publish
            Condition: { ArnNotEquals: { "aws:PrincipalArn": [!GetAtt PlaceOrderFunctionRole.Arn] } } # publish
          - Effect: Deny
            Principal: "*"
            Action: sns:Subscribe
            Resource: !Ref EventsTopic
            Condition: { StringNotEquals: { "sns:Endpoint": [!GetAtt PackQueue.Arn] } }
          - Effect: Deny
            Principal: "*"
            Action: sns:Publish
            Resource: !Ref EventsTopic
            Condition: { Bool: { "aws:SecureTransport": "false" } }
  RelayDeadLetterQueue:
    Type: AWS::SQS::Queue
    Properties: { SqsManagedSseEnabled: true, RedriveAllowPolicy: { redrivePermission: denyAll } }
  RelayDeadLetterQueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref RelayDeadLetterQueue]
      PolicyDocument:
        Statement:
          - Effect: Deny # relay
            Principal: "*"
            Action: sqs:SendMessage
            Resource: !GetAtt RelayDeadLetterQueue.Arn
            Condition: { ArnNotEquals: { "aws:PrincipalArn": [!GetAtt PlaceOrderFunctionRole.Arn] } } # relay
          - Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: !GetAtt RelayDeadLetterQueue.Arn
            Condition: { Bool: { "aws:SecureTransport": "false" } } # relay
  PackQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-PackQueue
      VisibilityTimeout: 65
      SqsManagedSseEnabled: true
      RedrivePolicy: { deadLetterTargetArn: !GetAtt PackDeadLetterQueue.Arn, maxReceiveCount: 9 }
  PackDeadLetterQueue:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: 1209600
      SqsManagedSseEnabled: true
      RedriveAllowPolicy:
        redrivePermission: byQueue
        sourceQueueArns:
          - !Sub arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-PackQueue
  PackDeadLetterQueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref PackDeadLetterQueue]
      PolicyDocument:
        Statement:
          - Effect: Deny # nobody
            Principal: "*"
            Action: sqs:SendMessage
            Resource: "*" # nobody
            Condition: { "Null": { "aws:PrincipalArn": "false" } }
          - Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: "*"
            Condition: { Bool: { "aws:SecureTransport": "false" } } # dead
  PackSubscription:
    Type: AWS::SNS::Subscription
    DependsOn: EventsTopicPolicy
    Properties:
      TopicArn: !Ref EventsTopic
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
            Action: sqs:SendMessage
            Resource: !GetAtt PackQueue.Arn
            Condition:
              ArnNotEquals: { "aws:SourceArn": !Ref EventsTopic, "aws:PrincipalArn": !GetAtt RedriveRole.Arn }
          - Effect: Deny
            Principal: "*"
            Action: sqs:*
            Resource: !GetAtt PackQueue.Arn
            Condition: { Bool: { "aws:SecureTransport": "false" } } # queue
  RedriveRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - Effect: Allow
                Action:
                  - sqs:CancelMessageMoveTask
                  - sqs:DeleteMessage
                  - sqs:GetQueueAttributes
                  - sqs:ListMessageMoveTasks
                  - sqs:ReceiveMessage
                  - sqs:StartMessageMoveTask
                Resource: [!GetAtt PackDeadLetterQueue.Arn]
              - { Effect: Allow, Action: sqs:SendMessage, Resource: [!GetAtt PackQueue.Arn] }
  TokenSecret:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true } }
    UpdateReplacePolicy: Retain # secret
  RelayAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{ Name: QueueName, Value: !GetAtt RelayDeadLetterQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  PackAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{ Name: QueueName, Value: !GetAtt PackDeadLetterQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  QueueAgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail # age
    Properties:
      MetricName: ApproximateAgeOfOldestMessage
      Dimensions: [{ Name: QueueName, Value: !GetAtt PackQueue.QueueName }]
      AlarmActions: [!Ref AlarmTopic]
  FailingMessagesMetric:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup # failing
      FilterPattern: '{ $.message = "message keeps failing" && $.consumer = "*" }'
      MetricTransformations:
        - MetricNamespace: !Ref AWS::StackName # failing
          MetricName: FailingMessages
          MetricValue: "1"
          Dimensions: [{ Key: Consumer, Value: $.consumer }]
  FailingAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      Namespace: !Ref AWS::StackName
      MetricName: FailingMessages
      Dimensions: [{ Name: Consumer, Value: place-order }] # failing
      AlarmActions: [!Ref AlarmTopic]
  MalformedMessagesMetric:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref LogGroup
      FilterPattern: '{ $.message = "message malformed" && $.consumer = "*" }'
      MetricTransformations:
        - { MetricNamespace: !Ref AWS::StackName, MetricName: MalformedMessages, MetricValue: "1" }
  MalformedAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      Namespace: !Ref AWS::StackName
      MetricName: MalformedMessages
      AlarmActions: [!Ref AlarmTopic] # malformed
  Mails: { Type: AWS::SES::ConfigurationSet }
  BouncesAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: TellsOfMails
    Properties:
      Namespace: AWS/SES
      MetricName: Reputation.BounceRate
      Threshold: 0.05
      AlarmActions: [!Ref AlarmTopic] # bounces
  ComplaintsAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      Namespace: AWS/SES
      MetricName: Reputation.ComplaintRate
      Threshold: 0.001
      AlarmActions: [!Ref AlarmTopic] # complaints
  ServerErrorAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: 5xx
      Dimensions: [{ Name: ApiId, Value: !Ref Api }]
      AlarmActions: [!Ref AlarmTopic]
  ErrorAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: Errors # one
      Dimensions: [{ Name: FunctionName, Value: !Ref PlaceOrderFunction }]
      TreatMissingData: breaching
      AlarmActions: [!Ref AlarmTopic]
  ErrorsAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: Errors
      AlarmActions: [!Ref AlarmTopic] # all
  AgeAlarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarmEmail
    Properties:
      MetricName: IteratorAge
      Dimensions: [{ Name: FunctionName, Value: !Ref PlaceOrderFunction }]
      AlarmActions: [!Ref AlarmTopic]
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Sub "${AWS::StackName}-${AWS::Region}-shown"
      DashboardBody: !Sub |
        {"widgets": [
        {"type": "text", "properties": {"markdown": "Words"}},
        {"type": "metric", "properties": {"metrics": [
            ["AWS/ApiGateway", "Count", "ApiId", "${Api}"],
            ["AWS/ApiGateway", "5xx", "ApiId", "${Api}"],
            ["AWS/ApiGateway", "Latency", "ApiId", "${Api}", {"stat": "p99"}]]}},
        {"type": "metric", "properties": {"metrics": [
            ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "${PackQueue.QueueName}"],
            ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", "${PackQueue.QueueName}", {"id": "d"}],
            [{"expression": "d * 2", "label": "twice"}],
            ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "${PackQueue.QueueName}"],
            ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", "${PackQueue.QueueName}"],
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${PackQueue.QueueName}"],
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${PackDeadLetterQueue.QueueName}"],
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${RelayDeadLetterQueue.QueueName}"],
            ["${AWS::StackName}", "FailingMessages", "Consumer", "place-order"],
            ["${AWS::StackName}", "MalformedMessages"]]}},
        {"type": "metric", "properties": {"metrics": [
            ["AWS/Lambda", "Duration", "FunctionName", "${PlaceOrderFunction}"],
            ["AWS/Lambda", "Errors", "FunctionName", "${PlaceOrderFunction}"],
            ["AWS/Lambda", "Invocations", "FunctionName", "${PlaceOrderFunction}"],
            ["AWS/Lambda", "IteratorAge", "FunctionName", "${PlaceOrderFunction}"],
            ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "${OrdersTable}"]]}}
        ]}
  EdgeFunction:
    Type: AWS::CloudFront::Function
    Properties: { Name: !Sub "${AWS::StackName}-${AWS::Region}-edge" }
  KeptPolicy:
    Type: AWS::CloudFront::CachePolicy
    Properties: { CachePolicyConfig: { Name: !Sub "${AWS::StackName}-${AWS::Region}-kept" } }
  FilesBucket:
    Type: AWS::S3::Bucket
    UpdateReplacePolicy: Retain # bucket
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: AES256 } }]
      PublicAccessBlockConfiguration:
        { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true }
      CorsConfiguration:
        CorsRules:
          - AllowedMethods: [PUT]
            AllowedHeaders: [content-type]
            AllowedOrigins: !If [HasShopUrl, [!Ref ShopUrl], [https://*.cloudfront.net, !Ref AWS::NoValue]]
      LifecycleConfiguration:
        Rules:
          - Status: Enabled
            ExpirationInDays: 30
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }
  FilesBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref FilesBucket
      PolicyDocument:
        Statement:
          - { Effect: Deny, Principal: "*", Action: s3:*, Condition: { Bool: { "aws:SecureTransport": "false" } } } # files
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

/// Asserts what a check says of the template with `from` replaced by `to`: of each case a line with its `finding`.
#[track_caller]
pub(crate) fn finds(check: fn(&Template) -> Vec<String>, cases: &[(&str, &str, &str)]) {
    for (from, to, finding) in cases {
        let found = check(&changed(from, to));
        assert!(found.iter().any(|line| line.contains(finding)), "{from} -> {to}: {found:?}");
    }
}
