"""Prints a deployed stack as JSON: its outputs, its API's id, and every function's environment variables; or, with
--exports, what a shell needs to run a function or a runbook beside it.

The commands that run functions or the gateway beside an emulator take the tables' and queues' names from
here, so that no name is written down twice. It changes nothing.

    describe_stack.py STACK                    the endpoint is that of AWS_ENDPOINT_URL
    eval "$(describe_stack.py --exports STACK)"
"""

import json
import os
import re
import shlex
import sys

from settings import is_emulator, outputs, session


def main(stack: str, exports: bool) -> None:
    aws = session(stack)
    description = describe(aws, stack)
    if exports:
        for name, value in sorted(variables(aws.region_name, description).items()):
            print(f"export {name}={shlex.quote(value)}")
    else:
        json.dump(description, sys.stdout, indent=2, sort_keys=True)
        print()


def describe(aws, stack: str) -> dict:
    cloudformation, functions = aws.client("cloudformation"), aws.client("lambda")
    description = {"outputs": outputs(aws, stack), "api_id": None, "variables": {}, "functions": {}}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        name, kind, physical = (
            resource["LogicalResourceId"], resource["ResourceType"], resource.get("PhysicalResourceId"))
        if kind == "AWS::ApiGatewayV2::Api":
            # An emulator without HTTP APIs makes an id up.
            description["api_id"] = physical if re.fullmatch("[a-z0-9]{8,12}", physical or "") else None
        elif kind == "AWS::Lambda::Function":
            function = functions.get_function_configuration(FunctionName=physical)
            description["variables"][name] = function.get("Environment", {}).get("Variables", {})
            description["functions"][name] = physical
    return description


def variables(region: str, description: dict) -> dict[str, str]:
    """The functions' variables, and the outputs in the same form: `TokenSecretArn` is `TOKEN_SECRET_ARN`."""
    found = {snake(name): value for name, value in description["outputs"].items()}
    for function in description["variables"].values():
        found.update(function)
    # The AWS CLI and the SDKs look for the one or the other.
    found.update(AWS_REGION=region, AWS_DEFAULT_REGION=region)
    if is_emulator():
        # It asks for some, and must never be sent the caller's own.
        found.update(AWS_ENDPOINT_URL=os.environ["AWS_ENDPOINT_URL"],
                     AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    return found


def snake(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper()


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--exports"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    main(arguments[0], exports="--exports" in sys.argv)
