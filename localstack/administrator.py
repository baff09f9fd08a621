"""An administrator of a stack in an emulator, for its tests: made by the function that has no route, if need be.

Prints the user's id and the account's session epoch, which a token must name. Nobody can log in to the account: its
password is made up and forgotten.

    administrator.py STACK          the endpoint is that of AWS_ENDPOINT_URL
"""

import json
import secrets
import sys

import boto3

EMAIL = "tests@example.com"


def administrator(outputs: dict[str, str]) -> tuple[str, int]:
    """The user's id and the session epoch of the account."""
    payload = json.dumps({"email": EMAIL, "password": secrets.token_urlsafe(18), "name": "Tests"})
    answer = boto3.client("lambda").invoke(FunctionName=outputs["CreateAdminFunctionName"], Payload=payload)
    user = json.load(answer["Payload"])["user_id"]
    key = {"pk": {"S": user}, "sk": {"S": "account"}}
    table = boto3.client("dynamodb")
    account = table.get_item(TableName=outputs["UsersTableName"], Key=key, ConsistentRead=True)["Item"]
    return user, int(account["session_epoch"]["N"])


def stack_outputs(stack: str) -> dict[str, str]:
    """The stack's outputs by their keys."""
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(*administrator(stack_outputs(sys.argv[1])))
