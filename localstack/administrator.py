"""An administrator of a stack in an emulator, for its tests: made by the function that has no route, if need be.

Prints the user's id and the account's session epoch, which a token must name. Nobody can log in to the account: its
password is made up and forgotten.

    administrator.py STACK          the endpoint is that of AWS_ENDPOINT_URL
"""

import json
import secrets
import sys

from settings import outputs, session

EMAIL = "tests@example.com"


def administrator(stack: str) -> tuple[str, int]:
    """The user's id and the session epoch of the account."""
    aws = session(stack)
    names = outputs(aws, stack)
    payload = json.dumps({"email": EMAIL, "password": secrets.token_urlsafe(18), "name": "Tests"})
    answer = aws.client("lambda").invoke(FunctionName=names["CreateAdminFunctionName"], Payload=payload)
    user = json.load(answer["Payload"])["user_id"]
    key = {"pk": {"S": user}, "sk": {"S": "account"}}
    table = aws.client("dynamodb")
    account = table.get_item(TableName=names["UsersTableName"], Key=key, ConsistentRead=True)["Item"]
    return user, int(account["session_epoch"]["N"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(*administrator(sys.argv[1]))
