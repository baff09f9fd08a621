//! `AWS::CloudFront::Distribution` before the HTTP API, with its cache policies and origin request policies.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::intrinsic::{Resolver, Resource};
use super::names::Kind;
use super::{Properties, TemplateError};

/// Managed policies, by the ids that CloudFormation takes
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>).
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_VIEWER_EXCEPT_HOST_HEADER: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const CACHE_POLICY: &str = "AWS::CloudFront::CachePolicy";
const ORIGIN_REQUEST_POLICY: &str = "AWS::CloudFront::OriginRequestPolicy";

/// A distribution whose one origin is the API.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// What `Ref` gives: its id.
    pub id: String,
    /// The header of an answer with its tags.
    pub tag_header: HeaderName,
    /// What it adds to each request. A value may name a secret.
    pub origin_headers: Vec<(HeaderName, String)>,
    /// What is done with which paths, the first that fits. The last fits all.
    pub behaviours: Vec<Behaviour>,
}

/// What is done with the requests of some paths.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Which paths, as `/products/*/stock`: `*` stands for any text. None for all.
    pub pattern: Option<String>,
    /// What is cached; none where nothing is.
    pub cache: Option<Caching>,
    /// The headers that reach the API besides those of the cache's key. None for all but `Host`.
    pub forwarded: Option<Vec<HeaderName>>,
}

/// How answers are cached.
#[derive(Clone, Debug)]
pub struct Caching {
    /// The longest that an answer is kept, whatever it says.
    pub longest: Duration,
    /// The headers that are part of the key. The path is too.
    pub key: Vec<HeaderName>,
    /// Whether the whole query is part of the key.
    pub has_query: bool,
    /// Whether it is part of the key in which codings the client takes an answer.
    pub has_coding: bool,
}

impl Caching {
    /// `CachingOptimized`, for answers that all say how long they may be kept.
    fn of_files() -> Self {
        Self { longest: Duration::from_hours(365 * 24), key: Vec::new(), has_query: false, has_coding: true }
    }
}

/// The distribution of a template, if it has one.
pub(super) fn read(
    resources: &BTreeMap<String, Resource<'_>>,
    resolver: &Resolver<'_>,
) -> Result<Option<Distribution>, TemplateError> {
    let mut distributions = resources.iter().filter(|(_, one)| one.kind == "AWS::CloudFront::Distribution");
    let Some((id, resource)) = distributions.next() else { return Ok(None) };
    if let Some((other, _)) = distributions.next() {
        return Err(TemplateError::new(other, "is another distribution: one stands before the API here"));
    }
    let mut properties = resolver.properties(id, resource.properties)?;
    let mut config = required(&mut properties, "DistributionConfig")?;
    properties.finish()?;
    config.ignore(&[
        "Aliases",
        "Comment",
        "HttpVersion",
        "IPV6Enabled",
        "PriceClass",
        "ViewerCertificate",
        "WebACLId",
    ]);
    if !config.flag("Enabled")? {
        return Err(config.error("Enabled", "is not true: nothing would be answered"));
    }
    let mut tags = required(&mut config, "CacheTagConfig")?;
    let tag_header = header(&mut tags, "HeaderName")?;
    tags.finish()?;
    let origin_headers = origin_headers(&mut config)?;
    let policies = Policies { resources, resolver };
    let mut behaviours = Vec::new();
    for mut behaviour in config.children("CacheBehaviors")? {
        let pattern = behaviour.required_text("PathPattern")?;
        behaviours.push(policies.behaviour(Some(pattern), behaviour)?);
    }
    let default = required(&mut config, "DefaultCacheBehavior")?;
    behaviours.push(policies.behaviour(None, default)?);
    for mut error in config.children("CustomErrorResponses")? {
        error.ignore(&["ErrorCode"]);
        if error.number("ErrorCachingMinTTL")? != Some(0) {
            return Err(error.error("ErrorCachingMinTTL", "is not 0: errors are not cached here"));
        }
        error.finish()?;
    }
    config.finish()?;
    Ok(Some(Distribution { id: id.clone(), tag_header, origin_headers, behaviours }))
}

fn origin_headers(config: &mut Properties) -> Result<Vec<(HeaderName, String)>, TemplateError> {
    let mut headers = Vec::new();
    let origins = config.children("Origins")?;
    if origins.len() != 1 {
        return Err(config.error("Origins", "is not the API alone"));
    }
    for mut origin in origins {
        origin.ignore(&["Id", "DomainName", "CustomOriginConfig"]);
        for mut given in origin.children("OriginCustomHeaders")? {
            let name = header(&mut given, "HeaderName")?;
            headers.push((name, given.required_text("HeaderValue")?));
            given.finish()?;
        }
        origin.finish()?;
    }
    Ok(headers)
}

struct Policies<'a> {
    resources: &'a BTreeMap<String, Resource<'a>>,
    resolver: &'a Resolver<'a>,
}

impl Policies<'_> {
    fn behaviour(&self, pattern: Option<String>, mut read: Properties) -> Result<Behaviour, TemplateError> {
        read.ignore(&["AllowedMethods", "TargetOriginId", "ViewerProtocolPolicy"]);
        let cached = read.texts("CachedMethods")?;
        if cached != ["GET", "HEAD"] {
            return Err(read.error("CachedMethods", "is not GET and HEAD"));
        }
        let mut functions = read.children("FunctionAssociations")?.into_iter();
        let (Some(mut function), None) = (functions.next(), functions.next()) else {
            return Err(read.error("FunctionAssociations", "is not the one function that is known here"));
        };
        if function.required_text("EventType")? != "viewer-request" {
            return Err(function.error("EventType", "is not viewer-request"));
        }
        function.ignore(&["FunctionARN"]);
        function.finish()?;
        let cache = match read.required_text("CachePolicyId")?.as_str() {
            CACHING_DISABLED => None,
            CACHING_OPTIMIZED => Some(Caching::of_files()),
            id => Some(self.caching(&self.policy(Kind::CachePolicy, id, &read)?)?),
        };
        let forwarded = match read.text("OriginRequestPolicyId")?.as_deref() {
            // Only what is in the key.
            None => Some(Vec::new()),
            Some(ALL_VIEWER_EXCEPT_HOST_HEADER) => None,
            Some(id) => Some(self.forwarded(&self.policy(Kind::OriginRequestPolicy, id, &read)?)?),
        };
        read.finish()?;
        Ok(Behaviour { pattern, cache, forwarded })
    }

    /// The logical id of a policy of the template.
    fn policy(&self, kind: Kind, id: &str, at: &Properties) -> Result<String, TemplateError> {
        let known = self.resolver.target(kind, id).map(str::to_owned);
        known.ok_or_else(|| TemplateError::new(at.at(), format!("{id} is no policy of this template")))
    }

    fn caching(&self, id: &str) -> Result<Caching, TemplateError> {
        let mut config = self.config(id, CACHE_POLICY, "CachePolicyConfig")?;
        // An answer that does not say that it may be kept is not.
        for shortest in ["MinTTL", "DefaultTTL"] {
            if config.number(shortest)? != Some(0) {
                return Err(config.error(shortest, "is not 0"));
            }
        }
        let Some(longest) = config.seconds("MaxTTL", 1, 31_536_000)? else {
            return Err(config.error("MaxTTL", "is missing"));
        };
        let mut parameters = required(&mut config, "ParametersInCacheKeyAndForwardedToOrigin")?;
        config.finish()?;
        if parameters.flag("EnableAcceptEncodingGzip")? {
            return Err(parameters.error("EnableAcceptEncodingGzip", "is true: nothing is packed here"));
        }
        let key = headers_of(parameters)?;
        Ok(Caching { longest, key, has_query: true, has_coding: false })
    }

    fn forwarded(&self, id: &str) -> Result<Vec<HeaderName>, TemplateError> {
        headers_of(self.config(id, ORIGIN_REQUEST_POLICY, "OriginRequestPolicyConfig")?)
    }

    fn config(&self, id: &str, kind: &str, name: &str) -> Result<Properties, TemplateError> {
        let resource = self.resources.get(id).filter(|resource| resource.kind == kind);
        let mut properties =
            self.resolver.properties(id, resource.and_then(|resource| resource.properties))?;
        let mut config = required(&mut properties, name)?;
        properties.finish()?;
        config.ignore(&["Comment", "Name"]);
        Ok(config)
    }
}

/// The headers that a policy lists. It takes no cookie, and the whole query.
fn headers_of(mut policy: Properties) -> Result<Vec<HeaderName>, TemplateError> {
    for (section, behaviour, expected) in
        [("CookiesConfig", "CookieBehavior", "none"), ("QueryStringsConfig", "QueryStringBehavior", "all")]
    {
        let mut read = required(&mut policy, section)?;
        if read.required_text(behaviour)? != expected {
            return Err(read.error(behaviour, format!("is not {expected}")));
        }
        read.finish()?;
    }
    let mut read = required(&mut policy, "HeadersConfig")?;
    policy.finish()?;
    if read.required_text("HeaderBehavior")? != "whitelist" {
        return Err(read.error("HeaderBehavior", "is not whitelist"));
    }
    let texts = read.texts("Headers")?;
    let header = |text: &String| {
        let header = HeaderName::try_from(text.as_str());
        header.map_err(|_| read.error("Headers", format!("{text} is no header")))
    };
    let headers = texts.iter().map(header).collect::<Result<_, _>>()?;
    read.finish()?;
    Ok(headers)
}

fn header(properties: &mut Properties, name: &str) -> Result<HeaderName, TemplateError> {
    let text = properties.required_text(name)?;
    HeaderName::try_from(text.as_str()).map_err(|_| properties.error(name, "is no header"))
}

fn required(properties: &mut Properties, name: &str) -> Result<Properties, TemplateError> {
    properties.child(name)?.ok_or_else(|| properties.error(name, "is missing"))
}

impl Behaviour {
    /// Whether it is for this path.
    #[must_use]
    pub fn is_for(&self, path: &str) -> bool {
        self.pattern.as_deref().is_none_or(|pattern| fits(path, pattern))
    }
}

/// Whether a path fits a pattern in which `*` stands for any text, slashes included.
fn fits(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => path == pattern,
        Some((before, rest)) => path.strip_prefix(before).is_some_and(|behind| {
            behind.char_indices().map(|(at, _)| at).chain([behind.len()]).any(|at| fits(&behind[at..], rest))
        }),
    }
}

impl Distribution {
    /// What is done with a path.
    #[must_use]
    pub fn behaviour(&self, path: &str) -> Option<&Behaviour> {
        self.behaviours.iter().find(|behaviour| behaviour.is_for(path))
    }

    /// The headers that it adds, with the secrets that they name.
    pub(crate) fn headers(&self, resolve: impl Fn(&str) -> String) -> Vec<(HeaderName, HeaderValue)> {
        let value = |text: &String| HeaderValue::try_from(resolve(text)).ok();
        self.origin_headers.iter().filter_map(|(name, text)| Some((name.clone(), value(text)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (path, pattern, expected) in [
            ("/products", "/products*", true),
            ("/products/a", "/products*", true),
            ("/products/a/stock", "/products/*/stock", true),
            ("/products/a/b/stock", "/products/*/stock", true),
            ("/products//stock", "/products/*/stock", true),
            ("/products/stock", "/products/*/stock", false),
            ("/products/a/stocks", "/products/*/stock", false),
            ("/api/products", "/products*", false),
            ("/é", "*", true),
        ] {
            assert_eq!(fits(path, pattern), expected, "{path} {pattern}");
        }
    }
}
