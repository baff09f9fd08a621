//! What is written about the template elsewhere agrees with it: docs/permissions.md and samconfig.toml.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use template_truth::template::{list, members};
use template_truth::{commands, permissions, project, rules, runbooks};

#[test]
fn the_documentation_lists_the_permissions_that_are_granted() {
    let granted = permissions::table(&project::template().unwrap());
    let documented = project::text("docs/permissions.md").unwrap();
    let lines: Vec<_> = documented.lines().collect();
    let missing: Vec<_> = granted.lines().filter(|line| !lines.contains(line)).collect();
    assert!(
        missing.is_empty(),
        "docs/permissions.md lacks, `cargo xtask sync` writes:\n{}",
        missing.join("\n")
    );
    assert!(documented.contains(&granted), "docs/permissions.md has more in its table, or another order");
}

#[test]
fn every_alarm_has_its_runbook_and_every_alarm_of_the_runbooks_is_there() {
    let document = project::text(runbooks::DOCUMENT).unwrap();
    assert_eq!(runbooks::check(&project::template().unwrap(), &document), [""; 0]);
}

/// What an environment of samconfig.toml sets, by the parameter's name, for every command of `sam`.
fn overrides(commands: &Value) -> BTreeMap<&str, &str> {
    let settings = list(&commands["global"]["parameters"]["parameter_overrides"]);
    settings.iter().filter_map(|setting| setting.as_str()?.split_once('=')).collect()
}

#[test]
fn environments_override_parameters_that_exist() {
    let template = project::template().unwrap();
    let config = project::toml("samconfig.toml").unwrap();
    let mut environments = BTreeSet::new();
    for (environment, commands) in members(&config).filter(|(name, _)| *name != "version") {
        environments.insert(environment);
        for name in overrides(commands).keys() {
            assert!(template.parameters().contains(name), "{environment} overrides {name}");
        }
        for (command, settings) in members(commands).filter(|(command, _)| *command != "global") {
            let own = &settings["parameters"];
            assert!(
                own["parameter_overrides"].is_null(),
                "{environment}: {command} would differ from the others"
            );
        }
    }
    assert_eq!(environments, ["default", "dev", "local", "prod", "prod-first"].into());
    for command in ["global", "deploy", "sync"] {
        assert_eq!(config["default"][command], config["dev"][command], "without --config-env it is dev");
    }
}

#[test]
fn a_new_account_can_take_the_default_environment() {
    let config = project::toml("samconfig.toml").unwrap();
    for environment in ["default", "dev", "local"] {
        assert_eq!(overrides(&config[environment])["PasswordConcurrency"], "0", "{environment}");
    }
}

#[test]
fn rules_let_each_environment_through_but_production_without_alarms() {
    let template = project::template().unwrap();
    let config = project::toml("samconfig.toml").unwrap();
    for (environment, commands) in members(&config).filter(|(name, _)| *name != "version") {
        let mut values = overrides(commands);
        let mistakes = rules::broken(&template, &values);
        if environment.starts_with("prod") {
            assert_eq!(mistakes.len(), 1, "{environment}: {mistakes:?}");
            values.insert("AlarmEmail", "ops@example.com");
        }
        assert_eq!(rules::broken(&template, &values), [""; 0], "{environment}");
        values.insert("ReserveStockBatchSize", "11");
        assert_eq!(rules::broken(&template, &values).len(), 1, "{environment}: a batch without a window");
        values.insert("ReserveStockBatchWindow", "1");
        assert_eq!(rules::broken(&template, &values), [""; 0], "{environment}");
        values.extend([("RecordSaleBatchSize", "11"), ("RecordSaleBatchWindow", "0")]);
        assert_eq!(rules::broken(&template, &values).len(), 1, "{environment}: sales without a window");
        values.insert("RecordSaleBatchWindow", "1");
        assert_eq!(rules::broken(&template, &values), [""; 0], "{environment}");
    }
}

#[test]
fn what_is_mended_on_aws_is_where_it_is_said_to_be() {
    let document = project::text("docs/aws.md").unwrap();
    let named = document.split('`').skip(1).step_by(2).filter(|name| {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        !name.contains(' ') && matches!(extension, Some("rs" | "md" | "yaml" | "toml" | "py"))
    });
    let missing: Vec<_> = named.filter(|name| !project::root().join(name).is_file()).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_name_needs_its_certificate_and_what_is_the_edges_needs_an_edge() {
    let template = project::template().unwrap();
    let config = project::toml("samconfig.toml").unwrap();
    for (more, mistakes) in [
        (&[("ApiDomainName", "api.example.com")][..], 1),
        (&[("ApiDomainName", "api.example.com"), ("ApiCertificateArn", "arn")], 0),
        (&[("EdgeDomainName", "shop.example.com")], 2),
        (&[("EdgeDomainName", "shop.example.com"), ("EdgeCertificateArn", "arn")], 1),
        (&[("EdgeDomainName", "shop.example.com"), ("EdgeCertificateArn", "arn"), ("EdgeCache", "true")], 0),
        (&[("EdgeRateLimit", "1000")], 1),
        (&[("EdgeRateLimit", "1000"), ("EdgeCache", "true")], 0),
    ] {
        let mut values = overrides(&config["dev"]);
        values.extend(more.iter().copied());
        let broken = rules::broken(&template, &values);
        assert_eq!(broken.len(), mistakes, "{more:?}: {broken:?}");
        let has = |kind: &str| !rules::present(&template, &values, kind).is_empty();
        assert_eq!(has("AWS::ApiGatewayV2::DomainName"), values.contains_key("ApiDomainName"), "{more:?}");
        let limited = values.contains_key("EdgeRateLimit") && values.contains_key("EdgeCache");
        assert_eq!(has("AWS::WAFv2::WebACL"), limited, "{more:?}");
    }
}

#[test]
fn production_protects_its_tables_from_the_second_deployment_on() {
    let config = project::toml("samconfig.toml").unwrap();
    let (mut first, second) = (overrides(&config["prod-first"]), overrides(&config["prod"]));
    assert_eq!(project::template().unwrap().default_of("DeletionProtection").unwrap(), "false");
    assert_eq!(first.insert("DeletionProtection", "true"), None);
    assert_eq!(first, second, "the first deployment differs from the others by that alone");
}

/// The service that LocalStack knows a resource type's by.
fn service(kind: &str) -> Option<String> {
    let service = kind.strip_prefix("AWS::")?.split("::").next()?.to_ascii_lowercase();
    match service.as_str() {
        // What SAM makes of its own types is named beside them; it has no HTTP API at all.
        "serverless" => Some("lambda".to_owned()),
        // CloudFront and its web ACL come with EdgeCache alone, which no emulator's stack has.
        "apigatewayv2" | "cloudfront" | "wafv2" => None,
        _ => Some(service),
    }
}

#[test]
fn the_compose_file_starts_every_service_that_the_template_needs() {
    let template = project::template().unwrap();
    let compose = project::text("localstack/docker-compose.yml").unwrap();
    let services = compose.lines().find_map(|line| line.trim().strip_prefix("SERVICES: ")).unwrap();
    let started: BTreeSet<_> = services.split(',').map(str::to_owned).collect();
    let mut needed: BTreeSet<_> = template.types().filter_map(service).collect();
    // SAM makes roles of the functions, rules of the schedules, and puts the code into a bucket.
    needed.extend(["cloudformation", "events", "iam", "s3", "sts"].map(str::to_owned));
    assert!(needed.is_subset(&started), "missing: {:?}", needed.difference(&started));
}

#[test]
fn every_command_of_the_documents_is_tried_or_it_is_said_why_not() {
    let steps = project::text("xtask/src/ci/steps.rs").unwrap();
    let wrong = commands::check(&commands::documented().unwrap(), &commands::list().unwrap(), &steps);
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_pip_installs_is_pinned_with_its_hashes() {
    for name in ["aws", "lambda", "localstack", "ministack", "sam"] {
        let text = project::text(&format!("localstack/requirements-{name}.txt")).unwrap();
        let lines = text.replace("\\\n", " ");
        let requirements: Vec<_> =
            lines.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
        assert!(!requirements.is_empty(), "{name}");
        for line in requirements {
            assert!(line.contains("==") && line.contains("--hash=sha256:"), "{name}: {line}");
        }
    }
}

#[test]
fn what_is_built_for_deployment_is_every_service() {
    let services: Vec<_> = std::fs::read_dir(project::root().join("functions"))
        .unwrap()
        .map(|service| service.unwrap().file_name().into_string().unwrap())
        .collect();
    let documented = commands::documented().unwrap();
    let builds = documented.iter().filter(|command| command.starts_with("cargo lambda build"));
    for command in builds.clone() {
        for service in &services {
            assert!(
                command.contains(&format!("-p {service} ")) || command.ends_with(&format!("-p {service}")),
                "{command}: {service}"
            );
        }
    }
    assert!(builds.count() >= 1);
}

#[test]
fn nobody_deploys_to_aws_what_was_not_built_and_looked_at() {
    let documented = commands::documented().unwrap();
    // `sam deploy` takes whatever lies in target/lambda, an emulator's builds too.
    let by_hand: Vec<_> = documented
        .iter()
        .filter(|command| command.contains("sam deploy") && !command.contains("--config-env local"))
        .collect();
    assert!(by_hand.is_empty(), "{by_hand:?}");
    for environment in ["dev", "prod"] {
        assert!(documented.contains(&format!("cargo xtask deploy --env {environment}")), "{environment}");
    }
}
