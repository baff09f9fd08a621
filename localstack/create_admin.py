"""Makes the first administrator of a deployed stack, by the function that only IAM lets somebody invoke.

The password is a line of standard input, or made up and shown this once; it is never an argument, which others
could see. `cargo xtask admin --stack STACK` runs this.

    create_admin.py STACK EMAIL NAME [--password-stdin]

The account is that of the caller's own AWS settings, or the emulator at AWS_ENDPOINT_URL.
"""

import json
import secrets
import sys

import boto3


def main(stack: str, email: str, name: str, from_stdin: bool) -> None:
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else secrets.token_urlsafe(18)
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    payload = json.dumps({"email": email, "password": password, "name": name})
    answer = boto3.client("lambda").invoke(FunctionName=outputs["CreateAdminFunctionName"], Payload=payload)
    made = json.load(answer["Payload"])
    if answer.get("FunctionError") or not made.get("created"):
        sys.exit(f"no administrator was made: {json.dumps(made)}")
    print(f"{email} is an administrator now: {made['user_id']}")
    if not from_stdin:
        print(f"password, shown this once: {password}")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--password-stdin"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    main(*arguments, from_stdin="--password-stdin" in sys.argv)
