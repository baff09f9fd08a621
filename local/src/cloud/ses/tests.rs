//! Messages: who may send them, what is refused, and what the topic is told of the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{KEPT, MailAccount, Request, Ses};
use crate::cloud::AwsError;
use crate::cloud::clock::Clock;
use crate::cloud::observer::Observers;
use crate::cloud::random::Random;
use crate::cloud::sns::Topics;
use crate::cloud::sqs::Queues;
use crate::template::Template;

const TEMPLATE: &str = "
Resources:
  Mails: {Type: 'AWS::SES::ConfigurationSet', Properties: {Name: shop-mails}}
  MailsDestination:
    Type: AWS::SES::ConfigurationSetEventDestination
    Properties:
      ConfigurationSetName: !Ref Mails
      EventDestination:
        Enabled: true
        MatchingEventTypes: [send, bounce, complaint]
        SnsDestination: {TopicARN: !Ref Feedback}
  Feedback: {Type: 'AWS::SNS::Topic'}
  FeedbackPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Feedback]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: ses.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Feedback
            Condition:
              StringEquals: {'aws:SourceAccount': !Ref 'AWS::AccountId'}
              ArnEquals: {'aws:SourceArn': !Sub 'arn:aws:ses:us-east-1:${AWS::AccountId}:configuration-set/${Mails}'}
  Work: {Type: 'AWS::SQS::Queue'}
  WorkPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Work]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Work.Arn
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Feedback, Protocol: sqs, Endpoint: !GetAtt Work.Arn, RawMessageDelivery: true}
";

struct Account {
    ses: Ses,
    topics: Topics,
    queues: Queues,
}

fn account(settings: MailAccount) -> Account {
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
    let (clock, random) = (Clock::simulated(), Random::seeded(1));
    let observers = Observers::new(&clock, Vec::new());
    let changed = Arc::new(Notify::new());
    let queues = Queues::open(&template, None, &clock, &random, changed, observers.clone()).unwrap();
    let topics = Topics::new(&template, &random, observers, None);
    Account { ses: Ses::new(&template, settings, &clock, &random), topics, queues }
}

fn of_domain() -> MailAccount {
    MailAccount { verified: Some(BTreeSet::from(["shop.example".to_owned()])), ..MailAccount::default() }
}

fn body(to: &str) -> Value {
    json!({
        "FromEmailAddress": "The shop <mail@shop.example>",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": {
            "Subject": { "Data": "Grüße", "Charset": "UTF-8" },
            "Body": { "Text": { "Data": "Hello" }, "Html": { "Data": "<p>Hello", "Charset": "UTF-8" } },
            "Headers": [{ "Name": "Auto-Submitted", "Value": "auto-generated" }],
        } },
        "EmailTags": [{ "Name": "attempt", "Value": "1" }],
        "ConfigurationSetName": "shop-mails",
    })
}

impl Account {
    fn send(&self, body: &Value) -> Result<Value, AwsError> {
        self.ses.send(Request::parse(body.to_string().as_bytes())?, &self.topics, &self.queues)
    }

    fn events(&self) -> Vec<Value> {
        let messages = self.queues.receive("Work", 10, None).unwrap();
        messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_kept_and_told_of_with_its_tags() {
    let account = account(of_domain());
    let answer = account.send(&body("ada@example.com")).unwrap();
    let kept = account.ses.kept();
    let [mail] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(answer, json!({ "MessageId": mail.message_id }));
    assert_eq!((mail.subject.as_str(), mail.text.as_deref()), ("Grüße", Some("Hello")));
    let events = account.events();
    let [event] = &events[..] else { panic!("a delivery is not asked for: {events:?}") };
    assert_eq!(event["eventType"], "Send");
    assert_eq!(event["mail"]["messageId"], json!(mail.message_id));
    assert_eq!(event["mail"]["destination"], json!(["ada@example.com"]));
    assert_eq!(event["mail"]["tags"]["attempt"], json!(["1"]));
    assert_eq!(event["mail"]["tags"]["ses:configuration-set"], json!(["shop-mails"]));
}

#[tokio::test(start_paused = true)]
async fn the_mailbox_simulator_and_the_suppression_list_answer_as_ses_says() {
    let suppressed = BTreeSet::from(["gone@example.com".to_owned()]);
    let account = account(MailAccount { suppressed, ..of_domain() });
    let bounced = |subtype: &str| (json!(["Send", "Bounce"]), json!(subtype));
    for (to, (types, subtype)) in [
        ("success@simulator.amazonses.com", (json!(["Send"]), Value::Null)),
        ("bounce@simulator.amazonses.com", bounced("General")),
        ("bounce+1@simulator.amazonses.com", bounced("General")),
        ("suppressionlist@simulator.amazonses.com", bounced("Suppressed")),
        ("gone@example.com", bounced("OnAccountSuppressionList")),
        ("complaint@simulator.amazonses.com", (json!(["Send", "Complaint"]), Value::Null)),
    ] {
        account.send(&body(to)).unwrap();
        let events = account.events();
        let told: Vec<_> = events.iter().map(|event| event["eventType"].clone()).collect();
        assert_eq!(json!(told), types, "{to}");
        assert_eq!(events.last().unwrap()["bounce"]["bounceSubType"], subtype, "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_not_verified_sends_nothing_and_in_the_sandbox_gets_nothing() {
    let code = |account: &Account, to: &str| account.send(&body(to)).err().map(|error| error.code);
    let nobody = account(MailAccount { verified: Some(BTreeSet::new()), ..MailAccount::default() });
    assert_eq!(code(&nobody, "ada@example.com").as_deref(), Some("MessageRejected"));
    assert!(nobody.ses.kept().is_empty() && nobody.events().is_empty());
    let sandbox = account(MailAccount { in_sandbox: true, ..of_domain() });
    assert_eq!(code(&sandbox, "ada@example.com").as_deref(), Some("MessageRejected"));
    for to in ["ada@shop.example", "success@simulator.amazonses.com"] {
        assert_eq!(code(&sandbox, to), None, "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ses_would_refuse_is_refused() {
    let account = account(of_domain());
    let edits: [(&str, Value); 12] = [
        ("/FromEmailAddress", json!("mail")),
        ("/FromEmailAddress", json!("Grüße <mail@shop.example>")),
        ("/FromEmailAddress", json!("Shop\r\nBcc: eve@example.com <mail@shop.example>")),
        ("/Destination/ToAddresses", json!([])),
        ("/Destination/ToAddresses/0", json!("ada@example.com\r\nBcc: eve@example.com")),
        ("/Content/Simple/Subject/Data", json!("Hello\nBcc: eve@example.com")),
        ("/Content/Simple/Subject", json!({ "Data": "Grüße" })),
        ("/Content/Simple/Body", json!({})),
        ("/Content/Simple/Headers/0/Value", json!("a\r\nBcc: eve@example.com")),
        ("/Content/Simple/Headers/0/Name", json!("Bcc")),
        ("/EmailTags/0/Value", json!("a b")),
        ("/Content", json!({ "Raw": {} })),
    ];
    for (pointer, value) in edits {
        let mut body = body("ada@example.com");
        *body.pointer_mut(pointer).unwrap() = value;
        assert_eq!(account.send(&body).unwrap_err().code, "BadRequestException", "{pointer}");
    }
    let mut unknown = body("ada@example.com");
    unknown["ConfigurationSetName"] = json!("other");
    assert_eq!(account.send(&unknown).unwrap_err().code, "NotFoundException");
    assert!(account.ses.kept().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_messages_are_kept() {
    let account = account(of_domain());
    for number in 0..=KEPT {
        account.send(&body(&format!("a{number}@example.com"))).unwrap();
    }
    let kept = account.ses.kept();
    assert_eq!((kept.len(), kept[0].to[0].as_str()), (KEPT, "a1@example.com"));
}
