"""Prints the signing secret of a stack in an emulator, so that tests can be anybody there.

It refuses any endpoint but one of this machine: the secret of a deployed stack is for its session functions only.

    token_secret.py STACK           the endpoint is that of AWS_ENDPOINT_URL
"""

import sys

from settings import is_emulator, session


def token_secret(stack: str) -> str:
    if not is_emulator():
        sys.exit("AWS_ENDPOINT_URL is not an emulator on this machine")
    aws = session(stack)
    secret = aws.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="TokenSecret")
    secret_id = secret["StackResourceDetail"]["PhysicalResourceId"]
    return aws.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(token_secret(sys.argv[1]))
