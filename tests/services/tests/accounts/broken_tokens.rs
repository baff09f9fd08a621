//! Broken access tokens over HTTP: each kind of them is a 401 with a problem document and a challenge, on a
//! route for everybody as on one for users.

use anyhow::{Result, ensure};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};
use service_tests::{SECRET, Service, simulate};
use shop_local::cloud::Options;

/// Signs what no issuer of the shop would, with a key that the stack accepts.
struct Forge {
    accepted: Ed25519KeyPair,
    /// A key that nobody accepts.
    foreign: Ed25519KeyPair,
    header: Value,
    claims: Value,
    good: String,
}

impl Forge {
    /// From a good token of that key.
    fn of(good: &str) -> Result<Self> {
        let part = |n: usize| -> Result<Value> {
            let part = good.split('.').nth(n).unwrap_or_default();
            Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes())?)?)
        };
        // As shop-auth derives it: the private half is nowhere to be had.
        let mut seed = [0; 32];
        Salt::new(HKDF_SHA256, &[])
            .extract(SECRET.as_bytes())
            .expand(&[b"shop access token ed25519 v1"], HKDF_SHA256)?
            .fill(&mut seed)?;
        Ok(Self {
            accepted: Ed25519KeyPair::from_seed_unchecked(&seed)?,
            foreign: Ed25519KeyPair::from_seed_unchecked(&[7; 32])?,
            header: part(0)?,
            claims: part(1)?,
            good: good.to_owned(),
        })
    }

    /// A token of these parts, signed by a key.
    fn sign(key: &Ed25519KeyPair, header: &str, claims: &str) -> String {
        let text = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        let signature = base64(key.sign(text.as_bytes()).as_ref());
        format!("Bearer {text}.{signature}")
    }

    /// The good token with another header.
    fn headed(&self, key: &Ed25519KeyPair, changes: &Value) -> String {
        Self::sign(key, &merged(&self.header, changes), &self.claims.to_string())
    }

    /// The good token with other claims.
    fn claiming(&self, changes: &Value) -> String {
        Self::sign(&self.accepted, &self.header.to_string(), &merged(&self.claims, changes))
    }

    /// The good token's claims under a header, with anything as its signature.
    fn unsigned(&self, changes: &Value, signature: &str) -> String {
        let claims = self.good.split('.').nth(1).unwrap_or_default();
        format!("Bearer {}.{claims}.{signature}", base64(merged(&self.header, changes).as_bytes()))
    }
}

/// An object with members added, replaced, or taken away by `null`.
fn merged(object: &Value, changes: &Value) -> String {
    let mut members = object.as_object().cloned().unwrap_or_default();
    for (name, change) in changes.as_object().into_iter().flatten() {
        if change.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), change.clone());
        }
    }
    Value::Object(members).to_string()
}

fn base64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Kinds of `Authorization` by what is wrong with them.
type Kinds = Vec<(String, String)>;

/// What is no token of three whole parts, or has been changed on its way.
fn malformed(forge: &Forge, refresh: &str) -> Result<Kinds> {
    let good = &forge.good;
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { anyhow::bail!("not a token") };
    let mut flipped = BASE64URL_NOPAD.decode(signature.as_bytes())?;
    flipped[0] ^= 1;
    let kinds = [
        ("an empty header", String::new()),
        ("a scheme alone", "Bearer".into()),
        ("a scheme and a space", "Bearer ".into()),
        ("no scheme", good.clone()),
        ("another scheme", format!("Basic {good}")),
        ("two tokens", format!("Bearer {good}, Bearer {good}")),
        ("no token", "Bearer x".into()),
        ("dots alone", "Bearer ..".into()),
        ("parts that are no base64", "Bearer !.!.!".into()),
        ("a part too few", format!("Bearer {head}.{claims}")),
        ("a part too many", format!("Bearer {good}.{signature}")),
        ("no signature", format!("Bearer {head}.{claims}.")),
        ("a cut signature", format!("Bearer {}", &good[..good.len() - 4])),
        ("a longer signature", format!("Bearer {good}AAAA")),
        ("a flipped bit", format!("Bearer {head}.{claims}.{}", base64(&flipped))),
        ("other claims under the signature", format!("Bearer {head}.{}.{signature}", base64(b"{}"))),
        ("oversized", format!("Bearer {head}.{}.{signature}", "A".repeat(3000))),
        ("a refresh token", format!("Bearer {refresh}")),
    ];
    Ok(kinds.map(|(name, value)| (name.to_owned(), value)).into())
}

/// What a header may try: other algorithms, other keys, other types.
fn headers(forge: &Forge) -> Kinds {
    let public = forge.accepted.public_key().as_ref().to_vec();
    let hmac = {
        let claims = forge.good.split('.').nth(1).unwrap_or_default();
        let head = base64(merged(&forge.header, &json!({ "alg": "HS256" })).as_bytes());
        let text = format!("{head}.{claims}");
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        format!("Bearer {text}.{}", base64(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref()))
    };
    let signature = forge.good.rsplit('.').next().unwrap_or_default();
    let (accepted, foreign) = (&forge.accepted, &forge.foreign);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(foreign.public_key().as_ref()) });
    let kinds = [
        ("the algorithm none", forge.unsigned(&json!({ "alg": "none" }), "")),
        ("none with a signature", forge.unsigned(&json!({ "alg": "none" }), signature)),
        ("HS256 with the public key", hmac),
        ("RS256 in the header", forge.headed(accepted, &json!({ "alg": "RS256" }))),
        ("ES256 in the header", forge.headed(accepted, &json!({ "alg": "ES256" }))),
        ("no algorithm", forge.headed(accepted, &json!({ "alg": null }))),
        ("a known key id and another key", forge.headed(foreign, &json!({}))),
        ("a key of its own in the header", forge.headed(foreign, &json!({ "jwk": jwk }))),
        (
            "a key address in the header",
            forge.headed(foreign, &json!({ "jku": "https://evil.example/jwks.json" })),
        ),
        (
            "a certificate address in the header",
            forge.headed(foreign, &json!({ "x5u": "https://evil.example/c" })),
        ),
        ("a critical extension", forge.headed(accepted, &json!({ "crit": ["exp"] }))),
        ("an unknown key id", forge.headed(accepted, &json!({ "kid": "unknown" }))),
        ("a path as key id", forge.headed(accepted, &json!({ "kid": "../../etc/passwd" }))),
        ("no key id", forge.headed(accepted, &json!({ "kid": null }))),
        ("another type", forge.headed(accepted, &json!({ "typ": "JWT" }))),
        ("the type of a refresh token", forge.headed(accepted, &json!({ "typ": "rt+jwt" }))),
        ("no type", forge.headed(accepted, &json!({ "typ": null }))),
        ("a header that is no JSON", Forge::sign(accepted, "{", &forge.claims.to_string())),
    ];
    kinds.map(|(name, value)| (name.to_owned(), value)).into()
}

/// What claims may try, signed by a key that is accepted.
fn claims(forge: &Forge) -> Kinds {
    let now = forge.claims["iat"].as_i64().unwrap_or_default();
    let twice = forge.claims.to_string().replacen('{', r#"{"role":"admin","#, 1);
    let mut kinds: Kinds = [
        ("another audience", json!({ "aud": "urn:another:api" })),
        ("several audiences", json!({ "aud": ["urn:shop:api", "urn:another:api"] })),
        ("another issuer", json!({ "iss": "urn:another:sessions" })),
        ("a role that is none", json!({ "role": "root" })),
        ("a subject that is none", json!({ "sub": "root" })),
        ("no subject", json!({ "sub": null })),
        ("a session that is none", json!({ "sid": "../" })),
        ("a claim of somebody else's", json!({ "scope": "everything" })),
        ("expired", json!({ "iat": now - 1000, "nbf": now - 1000, "exp": now - 100 })),
        ("not yet valid", json!({ "nbf": now + 100 })),
        ("issued in the future", json!({ "iat": now + 100, "nbf": now + 100, "exp": now + 1000 })),
        ("a life without end", json!({ "exp": i64::MAX })),
        ("no end", json!({ "exp": null })),
        ("an end that is no number", json!({ "exp": "never" })),
    ]
    .map(|(name, changes)| (name.to_owned(), forge.claiming(&changes)))
    .into();
    let header = forge.header.to_string();
    for (name, text) in
        [("a claim that is given twice", twice.as_str()), ("no object", "7"), ("no JSON", "{")]
    {
        kinds.push((name.to_owned(), Forge::sign(&forge.accepted, &header, text)));
    }
    kinds
}

#[test]
fn every_kind_of_broken_token_is_refused_everywhere() -> Result<()> {
    simulate(async {
        let service = Service::start(&users::SERVICE.functions(), Options::simulated(1)).await?;
        let ada = service.customer("ada@example.com").await?;
        let forge = Forge::of(&service.token(&ada.id)?)?;
        let mut kinds = malformed(&forge, &ada.refresh)?;
        kinds.extend(headers(&forge));
        kinds.extend(claims(&forge));
        ensure!(kinds.len() >= 30, "{} kinds", kinds.len());
        // What is not broken is accepted, so that it is the break that is refused.
        for good in [forge.headed(&forge.accepted, &json!({})), forge.claiming(&json!({}))] {
            service.raw(&Method::GET, "/users/me", &good).await?.expect(200)?;
        }
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
