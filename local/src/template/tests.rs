//! The template reader over whole templates: wiring, globals, intrinsic functions, and what it refuses.

use std::time::Duration;

use super::*;

const SHOP: &str = include_str!("../../tests/template.yaml");

fn parse(text: &str) -> Result<Template, TemplateError> {
    Template::parse(text, &BTreeMap::new())
}

fn problem(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_function_has_its_name_its_variables_and_its_events() {
    let template = parse(SHOP).unwrap();
    let function = &template.functions["PlaceFunction"];
    assert_eq!(function.name, "place");
    assert_eq!(function.timeout, Duration::from_secs(5));
    assert_eq!(function.environment["ITEMS_TABLE"], "Items");
    assert_eq!(function.environment["STAGE"], "test");
    assert!(
        matches!(&function.events["Api"], Event::Http { method, path } if method == "POST" && path == "/items")
    );
    let Event::Sqs(queue) = &template.functions["CountFunction"].events["Queue"] else { panic!() };
    assert_eq!((queue.queue.as_str(), queue.batch_size), ("CountQueue", 10));
    assert!(queue.reports_failures);
}

#[test]
fn messages_find_their_queues() {
    let template = parse(SHOP).unwrap();
    let subscription = &template.topics["EventsTopic"].subscriptions[0];
    assert_eq!(subscription.queue, "CountQueue");
    let queue = &template.queues["CountQueue"];
    assert_eq!(queue.visibility_timeout, Duration::from_secs(30));
    let redrive = Redrive { queue: "CountDeadLetterQueue".to_owned(), max_receive_count: 3 };
    assert_eq!(queue.redrive, Some(redrive));
}

#[test]
fn a_parameter_can_be_overridden_and_decides_conditions() {
    let overrides = BTreeMap::from([("Stage".to_owned(), "prod".to_owned())]);
    let template = Template::parse(SHOP, &overrides).unwrap();
    assert_eq!(template.functions["PlaceFunction"].environment["STAGE"], "prod");
    assert_eq!(template.functions["PlaceFunction"].environment["KIND"], "real");
    let error = Template::parse(SHOP, &BTreeMap::from([("Stages".to_owned(), String::new())])).unwrap_err();
    assert_eq!(error.to_string(), "Stages: is no parameter of the template");
}

#[test]
fn what_is_not_known_is_named() {
    assert_eq!(
        problem("Resources: {Stream: {Type: 'AWS::Kinesis::Stream'}}"),
        "Stream: the type AWS::Kinesis::Stream is not known here"
    );
    assert_eq!(
        problem("Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {FifoQueue: true}}}"),
        "Q.FifoQueue: is not known here"
    );
    assert_eq!(
        problem("Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: !Ref Nothing}}}"),
        "Q.VisibilityTimeout: Nothing is neither a resource nor a parameter"
    );
    assert_eq!(
        problem("Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: -1}}}"),
        "Q.VisibilityTimeout: is not from 0 to 43200"
    );
}

#[test]
fn intrinsic_functions() {
    let text = r"
Parameters: {Name: {Type: String, Default: shop}}
Conditions:
  IsShop: !Equals [!Ref Name, shop]
  IsOther: !Not [!Condition IsShop]
  IsBoth: !And [!Condition IsShop, !Condition IsOther]
Resources:
  Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub '${Name}-q'}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/f/
      Environment:
        Variables:
          A: !Sub '${Name}/${Q.Arn}/${AWS::Region}'
          B: !GetAtt Q.Arn
          C: !If [IsOther, x, yes]
          D: !If [IsShop, !Ref 'AWS::NoValue', x]
          E: !If [IsBoth, x, neither]
";
    let template = parse(text).unwrap();
    let variables = &template.functions["F"].environment;
    assert_eq!(variables["A"], "shop/arn:aws:sqs:us-east-1:000000000000:shop-q/us-east-1");
    assert_eq!(variables["B"], "arn:aws:sqs:us-east-1:000000000000:shop-q");
    assert_eq!(variables["C"], "yes");
    assert!(!variables.contains_key("D"));
    assert_eq!(variables["E"], "neither");
    assert_eq!(
        problem(&text.replace("!Equals [!Ref Name, shop]", "!Not [!Condition IsOther]")),
        "Conditions.IsOther: leads back to itself, or is nested too deeply"
    );
    assert_eq!(
        problem(&text.replace("!GetAtt Q.Arn", "{'Fn::GetAtt': [Q, Arn]}")),
        "F.Environment.Variables.B: Fn::GetAtt: the long form is not known here"
    );
}

#[test]
fn two_functions_cannot_have_one_route() {
    let function = |id: &str| {
        format!(
            "  {id}: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: x/{id}, \
             Events: {{Api: {{Type: HttpApi, Properties: {{Path: /a, Method: get}}}}}}}}}}\n"
        )
    };
    let text = format!("Resources:\n{}{}", function("A"), function("B"));
    assert_eq!(problem(&text), "B.Events.Api: GET /a is also a route of A");
}

const NO_DELIVERY: &str =
    "CountSubscription: no policy of CountQueue lets EventsTopic send: nothing would arrive";

#[test]
fn a_wiring_that_a_policy_refuses_is_an_error() {
    let without = |from: &str, to: &str| {
        assert!(SHOP.contains(from), "{from}");
        problem(&SHOP.replacen(from, to, 1))
    };
    assert_eq!(
        without("Principal: { Service: sns.amazonaws.com }", "Principal: { Service: other }"),
        NO_DELIVERY
    );
    assert_eq!(without("Queues: [!Ref CountQueue]", "Queues: []"), NO_DELIVERY);
    assert_eq!(
        without("ArnNotEquals: { 'aws:SourceArn': !Ref EventsTopic, ", "ArnNotEquals: { "),
        NO_DELIVERY,
        "a denial wins"
    );
    assert_eq!(
        without("Resource: !GetAtt CountQueue.Arn", "Resource: !GetAtt CountDeadLetterQueue.Arn")
            .split(':')
            .next(),
        Some("CountSubscription")
    );
    let own = "Effect: Deny\n            Principal: '*'\n            Action: sqs:SendMessage";
    assert_eq!(
        without(own, &own.replace("sqs:SendMessage", "sqs:*")),
        "CountFunction.Events.Queue: a policy of CountQueue denies it to receive"
    );
    let of_relay = |action| denial("!Ref RelayDeadLetterQueue", action, "!GetAtt RelayDeadLetterQueue.Arn");
    assert!(of_relay("sqs:ReceiveMessage").is_ok());
    assert_eq!(of_relay("sqs:SendMessage").unwrap_err().to_string(), NO_DEAD_LETTER);
}

const NO_DEAD_LETTER: &str =
    "RelayFunction.Events.Stream.DestinationConfig: a policy of it denies the function to send there";

/// The template with a policy of some queues that denies everybody an action on a resource.
fn denial(queues: &str, action: &str, resource: &str) -> Result<Template, TemplateError> {
    let policy = format!(
        "  LettersPolicy:\n    Type: AWS::SQS::QueuePolicy\n    Properties:\n      Queues: [{queues}]\n      \
         PolicyDocument:\n        Statement:\n          - {{ Effect: Deny, Principal: '*', Action: '{action}', \
         Resource: {resource} }}\n"
    );
    parse(&SHOP.replacen("  RelayDeadLetterQueue:\n", &format!("{policy}  RelayDeadLetterQueue:\n"), 1))
}

#[test]
fn a_policy_may_be_that_of_many_queues_and_each_has_one() {
    let both = "!Ref CountDeadLetterQueue, !Ref RelayDeadLetterQueue";
    let problem = |queues, resource| denial(queues, "sqs:SendMessage", resource).unwrap_err().to_string();
    assert_eq!(problem(both, "'*'"), NO_DEAD_LETTER);
    assert!(denial(both, "sqs:ReceiveMessage", "'*'").is_ok());
    assert_eq!(
        problem(both, "!GetAtt CountDeadLetterQueue.Arn"),
        "LettersPolicy: says nothing of RelayDeadLetterQueue: Resource is not its ARN"
    );
    assert_eq!(problem("!Ref CountQueue", "'*'"), "LettersPolicy: CountQueue has a policy already");
    // A topic's policy names its topic: SNS takes no other.
    let topics = SHOP.replace("            Resource: !Ref EventsTopic\n", "            Resource: '*'\n");
    assert_ne!(topics, SHOP);
    assert_eq!(
        parse(&topics).unwrap_err().to_string(),
        "EventsTopicPolicy: says nothing of EventsTopic: Resource is not its ARN"
    );
}
