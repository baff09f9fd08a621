//! Tokens that are ours, and every way of not being one.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_smithy_async::time::StaticTimeSource;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use shop_lambda::Random;
use shop_types::UserId;

use super::*;
use crate::{Grant, Role, TokenIssuer};

const NOW: i64 = 1_800_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn user() -> UserId {
    UserId::fresh(Timestamp::from_millis(1), [1; 10])
}

fn issuer() -> TokenIssuer {
    TokenIssuer::from_secret(SECRET, "shop", "shop-api").unwrap()
}

/// A verifier at `NOW` that knows the issuer's key, and whose table cannot be reached.
fn verifier() -> Verifier {
    verifier_until(None)
}

/// The same, whose key is retired at some second.
fn verifier_until(retire_at: Option<i64>) -> Verifier {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
    let sdk = aws_types::SdkConfig::builder().time_source(StaticTimeSource::new(now)).build();
    let environment = Environment::new(BTreeMap::new(), sdk, Random::system());
    let client = Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .build(),
    );
    let (kid, public) = issuer().public_key();
    let key = DecodingKey::from_ed_components(&BASE64URL_NOPAD.encode(&public)).unwrap();
    Verifier {
        table: KeyTable::new(client, "keys", Random::system()),
        secret: None,
        issuer: "shop".to_owned(),
        audience: "shop-api".to_owned(),
        clock: environment.clock(),
        // Just read, and looked up as often as may be, so that an unknown key id is refused without another read.
        keys: RwLock::new(Keys {
            by_id: BTreeMap::from([(kid, AcceptedKey { key, retire_at })]),
            asked_at: Some(environment.clock().now()),
            lookups: MAX_LOOKUPS,
            lookups_since: environment.clock().now(),
        }),
    }
}

fn token(issuer: &TokenIssuer, role: Role, session: Option<&SessionId>) -> String {
    let grant = Grant { user: &user(), role, epoch: 7, session };
    issuer.issue(&grant, [9; 16], Timestamp::from_millis(NOW * 1000)).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": "shop", "aud": "shop-api", "sub": user(), "role": "customer", "epoch": 1,
        "client_id": "shop", "jti": "AAAAAAAAAAAAAAAAAAAAAA", "iat": NOW, "nbf": NOW, "exp": NOW + 900,
    })
}

fn signed(change: impl FnOnce(&mut Header, &mut Value)) -> String {
    let (key, kid) = issuer().signing_key();
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TOKEN_TYPE.to_owned());
    header.kid = Some(kid);
    let mut claims = claims();
    change(&mut header, &mut claims);
    encode(&header, &claims, &key).unwrap()
}

async fn refused(token: &str) -> bool {
    matches!(verifier().verify(token).await, Err(VerifyError::Invalid(_)))
}

#[tokio::test]
async fn a_token_names_its_user_and_the_epoch_of_the_account() {
    let verified = verifier().verify_session(&token(&issuer(), Role::Admin, None)).await.unwrap();
    let principal = Principal::User { id: user(), role: Role::Admin };
    assert_eq!(verified, Verified { principal, session: None, epoch: Some(7) });
    assert!(
        verifier().verify(&signed(|_, _| {})).await.is_ok(),
        "the tests' own tokens are good as they are"
    );
}

#[tokio::test]
async fn a_token_in_a_session_says_which() {
    let session = SessionId::fresh([7; 16]);
    for session in [Some(&session), None] {
        let token = token(&issuer(), Role::Customer, session);
        assert_eq!(verifier().verify_session(&token).await.unwrap().session.as_ref(), session);
    }
    assert!(refused(&signed(|_, claims| claims["sid"] = json!("../"))).await);
}

#[tokio::test]
async fn a_key_is_accepted_until_it_is_retired() {
    let token = signed(|_, _| {});
    assert!(verifier_until(Some(NOW + 1)).verify(&token).await.is_ok());
    assert!(matches!(verifier_until(Some(NOW)).verify(&token).await, Err(VerifyError::Invalid(_))));
}

#[test]
fn made_up_keys_are_looked_up_a_few_times_and_no_more() {
    let verifier = verifier();
    let at = |millis: i64| Timestamp::from_millis(NOW * 1000 + millis);
    assert!(!verifier.may_look_up(at(LOOKUP_INTERVAL_MILLIS - 1)));
    let looked_up = (0..100).filter(|_| verifier.may_look_up(at(LOOKUP_INTERVAL_MILLIS))).count();
    assert_eq!(looked_up, 5);
    assert!(!verifier.is_due(at(REREAD_INTERVAL_MILLIS - 1)) && verifier.is_due(at(REREAD_INTERVAL_MILLIS)));
}

#[tokio::test]
async fn claims_that_are_not_ours_are_refused() {
    let changes: &[(&str, Value)] = &[
        ("iss", json!("another shop")),
        ("aud", json!("another api")),
        ("aud", json!(["shop-api", "another"])),
        ("sub", json!("root")),
        ("sub", Value::Null),
        ("role", json!("root")),
        ("role", json!("Admin")),
        ("exp", json!(NOW - 6)),
        ("exp", json!("never")),
        ("exp", json!(i64::MAX)),
        ("exp", json!(NOW + 901)),
        ("nbf", json!(NOW + 60)),
        ("iat", json!(NOW + 60)),
        ("iat", json!(i64::MIN)),
        ("epoch", json!(-1)),
        ("epoch", json!("1")),
        ("jti", Value::Null),
        ("scope", json!("everything")),
    ];
    for (claim, value) in changes {
        let token = signed(|_, claims| claims[*claim] = value.clone());
        assert!(refused(&token).await, "{claim} = {value}");
    }
    for claim in ["iss", "aud", "sub", "role", "epoch", "client_id", "jti", "iat", "nbf", "exp"] {
        let token = signed(|_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert!(refused(&token).await, "without {claim}");
    }
}

#[tokio::test]
async fn an_administrator_s_token_lives_for_five_minutes() {
    let lives = |role: &'static str, seconds: i64| {
        signed(|_, claims| {
            claims["role"] = json!(role);
            claims["exp"] = json!(NOW + seconds);
        })
    };
    assert!(!refused(&lives("admin", 300)).await && refused(&lives("admin", 301)).await);
    assert!(!refused(&lives("customer", 900)).await && refused(&lives("customer", 901)).await);
}

#[tokio::test]
async fn headers_that_are_not_ours_are_refused() {
    for typ in [None, Some("JWT"), Some("rt+jwt"), Some("AT+JWT")] {
        assert!(refused(&signed(|header, _| header.typ = typ.map(str::to_owned))).await, "{typ:?}");
    }
    let critical = signed(|header, _| header.crit = Some(vec!["exp".to_owned()]));
    assert!(refused(&critical).await, "a critical extension");
    for kid in [None, Some("unknown"), Some("../../etc/passwd"), Some("")] {
        assert!(refused(&signed(|header, _| header.kid = kid.map(str::to_owned))).await, "{kid:?}");
    }
}

#[tokio::test]
async fn signatures_that_are_not_ours_are_refused() {
    let good = signed(|_, _| {});
    let (head, signature) = good.rsplit_once('.').unwrap();
    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let payload = head.split('.').nth(1).unwrap();
    let (kid, public) = issuer().public_key();

    let none = part(json!({ "alg": "none", "typ": TOKEN_TYPE, "kid": kid }));
    let hmac_header =
        Header { typ: Some(TOKEN_TYPE.into()), kid: Some(kid.clone()), ..Header::new(Algorithm::HS256) };
    let hmac = encode(&hmac_header, &claims(), &EncodingKey::from_secret(&public)).unwrap();
    let other = TokenIssuer::from_secret(&SECRET.replace('0', "1"), "shop", "shop-api").unwrap();
    let foreign = token(&other, Role::Admin, None);
    let admin = head.replace(
        payload,
        &part({
            let mut claims = claims();
            claims["role"] = json!("admin");
            claims
        }),
    );
    let twice = claims().to_string().replacen('{', r#"{"role":"admin","#, 1);
    let (key, _) = issuer().signing_key();
    let twice = {
        let head =
            format!("{}.{}", head.split('.').next().unwrap(), BASE64URL_NOPAD.encode(twice.as_bytes()));
        let signature = jsonwebtoken::crypto::sign(head.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        format!("{head}.{signature}")
    };
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "a.b.c".into(),
        "null".into(),
        head.to_owned(),
        format!("{head}."),
        format!("{good}."),
        format!("{good}.x"),
        format!("{head}.{}", &signature[1..]),
        format!("{admin}.{signature}"),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        hmac,
        foreign,
        twice,
        good.replace('.', " . "),
        "x".repeat(100_000),
        format!("{head}{}.{signature}", "A".repeat(2000)),
    ] {
        assert!(refused(&bad).await, "{bad}");
    }
}
