"""Writes template.yaml as CloudFormation gets it: SAM's transform, done here as AWS does it, with the parameters' defaults.

What reads templates for faults sees the roles, permissions and mappings then that SAM makes of a line.

    expand_template.py template.yaml expanded.json
"""

import json
import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# What CodeUri becomes when a template is packaged.
CODE = "s3://bucket-of-code/key"


class ManagedPolicies:
    """The ARNs of AWS's policies that SAM attaches by their names."""

    def load(self) -> dict[str, str]:
        return {}


def main(template: str, expanded: str) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with open(template, encoding="utf-8") as file:
        parsed = yaml_parse(file)
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in parsed["Parameters"].items()}
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = CODE
    made = transform(parsed, defaults, ManagedPolicies())
    with open(expanded, "w", encoding="utf-8") as file:
        json.dump(made, file, indent=1)
        file.write("\n")
    print(f"{len(made['Resources'])} resources")


if __name__ == "__main__":
    main(*sys.argv[1:])
