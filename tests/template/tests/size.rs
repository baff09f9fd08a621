//! The stack is no larger than CloudFormation takes. A test of its own: a skeleton may be what makes it too large.

use template_truth::operations::{MOST_RESOURCES, resources};
use template_truth::project;

#[test]
fn a_stack_has_no_more_resources_than_cloudformation_takes() {
    let resources = resources(&project::template().unwrap());
    assert!(
        resources <= MOST_RESOURCES,
        "{resources} resources, of {MOST_RESOURCES} that a stack may have: let some share what they need"
    );
}
