"""Prints as JSON whose account a stack would be deployed to, and what that account has for it; changes nothing.

    account.py STACK

`concurrent_executions` is how many functions the account may run at once, `is_deployed` whether the stack is there,
`is_left_of_a_failure` whether it is one whose creation has failed.
"""

import json
import sys

from botocore.exceptions import BotoCoreError, ClientError
from settings import session


# What a creation that failed ends in: it can only be deleted.
FAILED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}


def main(stack: str) -> None:
    aws = session(stack)
    try:
        print(json.dumps(describe(aws, stack)))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS in {aws.region_name}: {error}")


def describe(aws, stack: str) -> dict:
    status = stack_status(aws.client("cloudformation"), stack)
    limits = aws.client("lambda").get_account_settings()["AccountLimit"]
    return {
        "id": aws.client("sts").get_caller_identity()["Account"],
        "region": aws.region_name,
        "concurrent_executions": limits["ConcurrentExecutions"],
        "is_deployed": status is not None and status not in FAILED,
        "is_left_of_a_failure": status in FAILED,
    }


def stack_status(cloudformation, stack: str) -> str | None:
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # CloudFormation has no other code for a stack that is not there.
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    # A change set that was never executed leaves a stack in which nothing is.
    return next((one["StackStatus"] for one in found if one["StackStatus"] != "REVIEW_IN_PROGRESS"), None)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
