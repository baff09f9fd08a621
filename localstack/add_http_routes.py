"""Gives the stack's HTTP API its routes in an emulator that creates the API without them.

MiniStack creates AWS::ApiGatewayV2::Api but imports nothing of its Body. This reads the Body from the processed
template and makes the integrations and routes that AWS would have made of it. It invents none, and can be run
again: what is there is taken away first. Where the emulator has no HTTP API at all, it says so and ends with 3.
It refuses any endpoint but one of this machine: against AWS it is not needed.

    add_http_routes.py STACK        the endpoint is that of AWS_ENDPOINT_URL
"""

import json
import re
import sys

from botocore.exceptions import BotoCoreError, ClientError

from settings import is_emulator, session

# Told apart from a failure: there is no HTTP API that could have routes.
NO_HTTP_API = 3

METHODS = {"get", "post", "put", "patch", "delete", "options", "head", "x-amazon-apigateway-any-method"}
FUNCTION = re.compile(r"\$\{(\w+)\.Arn\}")


def main(stack: str) -> None:
    aws = session(stack)
    cloudformation = aws.client("cloudformation")
    try:
        template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    except ClientError as error:
        sys.exit(f"{stack}: {error.response['Error']['Message']}")
    if isinstance(template, str):
        template = json.loads(template)
    resources = physical_ids(cloudformation, stack)
    apis = [(name, resource["Properties"]["Body"]) for name, resource in template["Resources"].items()
            if resource["Type"] == "AWS::ApiGatewayV2::Api"]
    if not apis:
        sys.exit(f"{stack} has no HTTP API")
    for name, body in apis:
        try:
            count = replace_routes(aws, resources[name], routes(body), resources)
        except (BotoCoreError, ClientError) as error:
            print(f"{name}: the emulator has no HTTP API that takes routes: {error}", file=sys.stderr)
            sys.exit(NO_HTTP_API)
        print(f"{name} {resources[name]}: {count} routes")


def physical_ids(cloudformation, stack: str) -> dict[str, str]:
    """Logical id -> physical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages for resource in page["StackResourceSummaries"]}


def routes(body: dict) -> dict[str, str]:
    """Route key (`POST /orders`) -> logical id of the function."""
    found = {}
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            if method not in METHODS:
                continue
            uri = json.dumps(operation["x-amazon-apigateway-integration"]["uri"])
            function = FUNCTION.search(uri)
            if not function:
                sys.exit(f"{method} {path}: no function in {uri}")
            verb = "ANY" if method.startswith("x-") else method.upper()
            # What no route takes has no method.
            found["$default" if path.strip("/") == "$default" else f"{verb} {path}"] = function[1]
    return found


def replace_routes(aws, api: str, wanted: dict[str, str], resources: dict[str, str]) -> int:
    gateway, functions = aws.client("apigatewayv2"), aws.client("lambda")
    for route in items(gateway, "get_routes", api):
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
    for integration in items(gateway, "get_integrations", api):
        gateway.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
    for key, function in sorted(wanted.items()):
        arn = functions.get_function(FunctionName=resources[function])["Configuration"]["FunctionArn"]
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0")
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")
    return len(wanted)


def items(gateway, operation: str, api: str) -> list[dict]:
    """All pages of a list, before the first of them is deleted."""
    pages = gateway.get_paginator(operation).paginate(ApiId=api)
    return [item for page in pages for item in page["Items"]]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not is_emulator():
        sys.exit("AWS_ENDPOINT_URL is not an emulator on this machine")
    main(sys.argv[1])
