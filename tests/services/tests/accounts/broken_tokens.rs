//! Broken access tokens over HTTP: each kind of them is a 401 with a problem document and a challenge, on a
//! route for everybody as on one for users.

use anyhow::{Result, ensure};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Service, simulate};
use shop_auth::TokenIssuer;
use shop_local::cloud::Options;

/// A key that this test has, in the place of the stack's: it signs what no issuer of the shop would.
struct Forge {
    pair: Ed25519KeyPair,
    header: Value,
    claims: Value,
    good: String,
}

impl Forge {
    /// From a good token of the stack. Its own signature is by another key.
    fn of(good: &str) -> Result<Self> {
        let part = |n: usize| -> Result<Value> {
            let part = good.split('.').nth(n).unwrap_or_default();
            Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes())?)?)
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32])?;
        Ok(Self { pair, header: part(0)?, claims: part(1)?, good: good.to_owned() })
    }

    fn signed(&self, header: &str, claims: &str) -> String {
        let text = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        format!("{text}.{}", base64(self.pair.sign(text.as_bytes()).as_ref()))
    }

    fn with(&self, header: &[(&str, Value)], claims: &[(&str, Value)]) -> String {
        let changed = |value: &Value, changes: &[(&str, Value)]| {
            let mut value = value.clone();
            for (name, change) in changes {
                value[*name] = change.clone();
            }
            value.to_string()
        };
        self.signed(&changed(&self.header, header), &changed(&self.claims, claims))
    }
}

fn base64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Each kind by its name, as the whole value of the header.
fn broken(
    forge: &Forge,
    other: &TokenIssuer,
    service: &Service,
    refresh: &str,
) -> Result<Vec<(String, String)>> {
    let good = &forge.good;
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { anyhow::bail!("not a token") };
    let kid = &forge.header["kid"];
    let now = service.now()?.as_secs();
    let public = forge.pair.public_key().as_ref().to_vec();
    let hmac = {
        let text = format!(
            "{}.{claims}",
            base64(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }).to_string().as_bytes())
        );
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        format!("{text}.{}", base64(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref()))
    };
    let foreign = other.mint(
        &serde_json::from_value(forge.claims["sub"].clone())?,
        shop_auth::Role::Admin,
        service.now()?,
    )?;
    let twice = forge.claims.to_string().replacen('{', r#"{"role":"admin","#, 1);
    let mut flipped = BASE64URL_NOPAD.decode(signature.as_bytes())?;
    flipped[0] ^= 1;
    let own = |text: String| format!("Bearer {text}");
    let mut kinds: Vec<(&str, String)> = vec![
        ("an empty header", String::new()),
        ("a scheme alone", "Bearer".into()),
        ("a scheme and a space", "Bearer ".into()),
        ("no scheme", good.clone()),
        ("another scheme", format!("Basic {good}")),
        ("two tokens", format!("Bearer {good}, Bearer {good}")),
        ("no token", own("x".into())),
        ("dots alone", own("..".into())),
        ("parts that are no base64", own("!.!.!".into())),
        ("a part too few", own(format!("{head}.{claims}"))),
        ("a part too many", own(format!("{good}.{signature}"))),
        ("no signature", own(format!("{head}.{claims}."))),
        ("a cut signature", own(good[..good.len() - 4].to_owned())),
        ("a longer signature", own(format!("{good}AAAA"))),
        ("a flipped bit", own(format!("{head}.{claims}.{}", base64(&flipped)))),
        ("a signature of something else", own(format!("{head}.{}.{signature}", base64(b"{}")))),
        ("oversized", own(format!("{head}.{}.{signature}", "A".repeat(3000)))),
        ("a refresh token", own(refresh.to_owned())),
        (
            "the algorithm none",
            own(format!(
                "{}.{claims}.",
                base64(json!({ "alg": "none", "typ": "at+jwt", "kid": kid }).to_string().as_bytes())
            )),
        ),
        (
            "none with a signature",
            own(format!(
                "{}.{claims}.{signature}",
                base64(json!({ "alg": "none", "typ": "at+jwt", "kid": kid }).to_string().as_bytes())
            )),
        ),
        ("HS256 with a public key", own(hmac)),
        ("RS256 in the header", own(forge.with(&[("alg", json!("RS256"))], &[]))),
        ("ES256 in the header", own(forge.with(&[("alg", json!("ES256"))], &[]))),
        ("the key of another stack", own(foreign)),
        ("a known key id and another key", own(forge.with(&[], &[]))),
        (
            "a key of its own in the header",
            own(forge.with(&[("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(&public) }))], &[])),
        ),
        (
            "a key address in the header",
            own(forge.with(&[("jku", json!("https://evil.example/jwks.json"))], &[])),
        ),
        (
            "a certificate address in the header",
            own(forge.with(&[("x5u", json!("https://evil.example/cert"))], &[])),
        ),
        ("a critical extension", own(forge.with(&[("crit", json!(["exp"]))], &[]))),
        ("an unknown key id", own(forge.with(&[("kid", json!("unknown"))], &[]))),
        ("a path as key id", own(forge.with(&[("kid", json!("../../etc/passwd"))], &[]))),
        ("no key id", own(forge.with(&[("kid", Value::Null)], &[]))),
        ("another type", own(forge.with(&[("typ", json!("JWT"))], &[]))),
        ("no type", own(forge.with(&[("typ", Value::Null)], &[]))),
        (
            "expired",
            own(service.issuer().mint(
                &serde_json::from_value(forge.claims["sub"].clone())?,
                shop_auth::Role::Admin,
                shop_types::Timestamp::from_millis((now - 910) * 1000),
            )?),
        ),
        (
            "not yet valid",
            own(service.issuer().mint(
                &serde_json::from_value(forge.claims["sub"].clone())?,
                shop_auth::Role::Admin,
                shop_types::Timestamp::from_millis((now + 60) * 1000),
            )?),
        ),
        ("claims that are given twice", own(forge.signed(&forge.header.to_string(), &twice))),
        ("claims that are no object", own(forge.signed(&forge.header.to_string(), "7"))),
        ("claims that are no JSON", own(forge.signed(&forge.header.to_string(), "{"))),
        ("a header that is no JSON", own(forge.signed("{", &forge.claims.to_string()))),
    ];
    for (name, claims) in [
        ("another audience", json!({ "aud": "urn:another:api" })),
        ("another issuer", json!({ "iss": "urn:another:sessions" })),
        ("a role that is none", json!({ "role": "root" })),
        ("a subject that is none", json!({ "sub": "root" })),
        ("a session that is none", json!({ "sid": "../" })),
        ("a claim of somebody else's", json!({ "scope": "everything" })),
        ("a life without end", json!({ "exp": i64::MAX })),
    ] {
        let changes: Vec<_> = claims
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        kinds.push((name, own(forge.with(&[], &changes))));
    }
    Ok(kinds.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn every_kind_of_broken_token_is_refused_everywhere() -> Result<()> {
    simulate(async {
        let service = Service::start(users::FUNCTIONS, Options::simulated(1)).await?;
        let ada = service.customer("ada@example.com").await?;
        let forge = Forge::of(&ada.access)?;
        let other = TokenIssuer::from_secret(&"x".repeat(64), "urn:shop:sessions", "urn:shop:api")?;
        let kinds = broken(&forge, &other, &service, &ada.refresh)?;
        ensure!(kinds.len() >= 30, "{} kinds", kinds.len());
        for (method, path) in [
            (Method::GET, "/users/me"),
            (Method::GET, "/.well-known/jwks.json"),
            (Method::DELETE, "/sessions/current"),
        ] {
            for (name, value) in &kinds {
                // `raw` sends the header as it stands.
                let answer = service.raw(&method, path, value).await?;
                let answer = answer
                    .problem(401, "unauthorized")
                    .map_err(|error| error.context(format!("{path}: {name}")))?;
                ensure!(
                    answer.header("www-authenticate")? == r#"Bearer error="invalid_token""#,
                    "{path}: {name}"
                );
                ensure!(
                    value.len() < 20 || !answer.text.contains(value.as_str()),
                    "{path}: {name} is repeated"
                );
            }
        }
        // And the good one is good, so that it is the break that is refused.
        service.send_as(&ada, Method::GET, "/users/me", None).await?.expect(200)?;
        let lower = format!("bearer {}", ada.access);
        service.raw(&Method::GET, "/users/me", &lower).await?.expect(200)?;
        let none = service
            .request(Method::GET, "/users/me", Bytes::new(), &[])
            .await?
            .problem(401, "unauthorized")?;
        ensure!(none.header("www-authenticate")? == "Bearer", "no token was sent");
        Ok(())
    })
}
