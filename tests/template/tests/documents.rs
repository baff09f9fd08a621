//! What is written about the template elsewhere agrees with it: docs/permissions.md and samconfig.toml.

use std::collections::BTreeSet;

use template_truth::template::{list, members};
use template_truth::{permissions, project};

#[test]
fn the_documentation_lists_the_permissions_that_are_granted() {
    let granted = permissions::table(&project::template().unwrap());
    let documented = project::text("docs/permissions.md").unwrap();
    assert!(documented.contains(&granted), "docs/permissions.md should hold this table:\n{granted}");
}

#[test]
fn environments_override_parameters_that_exist() {
    let template = project::template().unwrap();
    let config = project::toml("samconfig.toml").unwrap();
    let mut environments = BTreeSet::new();
    for (environment, commands) in members(&config).filter(|(name, _)| *name != "version") {
        environments.insert(environment);
        for setting in list(&commands["deploy"]["parameters"]["parameter_overrides"]) {
            let (name, _) = setting.as_str().unwrap().split_once('=').unwrap();
            assert!(template.parameters().contains(name), "{environment} overrides {name}");
        }
    }
    assert_eq!(environments, ["default", "dev", "local", "prod"].into());
    assert_eq!(config["default"]["deploy"], config["dev"]["deploy"], "without --config-env it is dev");
}
