"""Makes the first administrator of a deployed stack, by the function that only IAM lets somebody invoke.

The password is a line of standard input, or made up and shown this once; it is never an argument, which others
could see. `cargo xtask admin --stack STACK` runs this.

    create_admin.py STACK EMAIL NAME [--password-stdin]

The account is that of the caller's own AWS settings, or the emulator at AWS_ENDPOINT_URL; the region that of
AWS_REGION, of samconfig.toml for this stack, or of the profile.
"""

import json
import secrets
import sys

from settings import outputs, session


def main(stack: str, email: str, name: str, from_stdin: bool) -> None:
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else secrets.token_urlsafe(18)
    aws = session(stack)
    function = outputs(aws, stack)["CreateAdminFunctionName"]
    payload = json.dumps({"email": email, "password": password, "name": name})
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=payload)
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
