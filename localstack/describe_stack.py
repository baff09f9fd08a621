"""Prints a deployed stack as JSON: its outputs, its API's id, and every function's environment variables.

The commands that run functions or the front door beside an emulator take the tables' and queues' names from
here, so that no name is written down twice. It changes nothing.

    describe_stack.py STACK         the endpoint is that of AWS_ENDPOINT_URL
"""

import json
import sys

import boto3


def main(stack: str) -> None:
    cloudformation = boto3.client("cloudformation")
    functions = boto3.client("lambda")
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    description = {
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in outputs},
        "api_id": None,
        "variables": {},
    }
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        name, kind = resource["LogicalResourceId"], resource["ResourceType"]
        if kind == "AWS::ApiGatewayV2::Api":
            description["api_id"] = resource["PhysicalResourceId"]
        elif kind == "AWS::Lambda::Function":
            function = functions.get_function_configuration(FunctionName=resource["PhysicalResourceId"])
            description["variables"][name] = function.get("Environment", {}).get("Variables", {})
    json.dump(description, sys.stdout, indent=2, sort_keys=True)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
