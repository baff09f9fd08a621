"""Prints as JSON whose account a stack would be deployed to, and what that account has for it; changes nothing.

    account.py STACK

`concurrent_executions` is how many functions the account may run at once, `is_deployed` whether the stack is there.
"""

import json
import sys

from botocore.exceptions import BotoCoreError, ClientError
from settings import session


def main(stack: str) -> None:
    aws = session(stack)
    try:
        print(json.dumps(describe(aws, stack)))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS in {aws.region_name}: {error}")


def describe(aws, stack: str) -> dict:
    limits = aws.client("lambda").get_account_settings()["AccountLimit"]
    return {
        "id": aws.client("sts").get_caller_identity()["Account"],
        "region": aws.region_name,
        "concurrent_executions": limits["ConcurrentExecutions"],
        "is_deployed": is_deployed(aws.client("cloudformation"), stack),
    }


def is_deployed(cloudformation, stack: str) -> bool:
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # CloudFormation has no other code for a stack that is not there.
        if error.response["Error"]["Code"] == "ValidationError":
            return False
        raise
    # A change set that was never executed leaves a stack in which nothing is.
    return any(one["StackStatus"] != "REVIEW_IN_PROGRESS" for one in found)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
