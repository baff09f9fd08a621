"""Makes an administrator of a deployed stack, or restores one, by the function that only IAM lets somebody invoke.

The password is a line of standard input, or made up and shown this once; it is never an argument, which others
could see. `cargo xtask admin --stack STACK` runs this.

    create_admin.py STACK EMAIL NAME [--password-stdin] [--restore]

An account that is restored keeps its password, unless one is given.

The account is that of the caller's own AWS settings, or the emulator at AWS_ENDPOINT_URL; the region that of
AWS_REGION, of samconfig.toml for this stack, or of the profile.
"""

import json
import secrets
import sys

from settings import outputs, session


OPTIONS = {"--password-stdin", "--restore"}
SAID = {"created": "a new account, and an administrator's", "restored": "an administrator's account again"}


def main(stack: str, email: str, name: str, from_stdin: bool, restore: bool) -> None:
    made_up = None if from_stdin or restore else secrets.token_urlsafe(18)
    password = sys.stdin.readline().rstrip("\r\n") if from_stdin else made_up
    aws = session(stack)
    function = outputs(aws, stack)["CreateAdminFunctionName"]
    payload = json.dumps({"email": email, "password": password, "name": name, "restore": restore})
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=payload)
    made = json.load(answer["Payload"])
    if answer.get("FunctionError") or made.get("result") not in SAID:
        sys.exit(f"no administrator was made: {json.dumps(made)}")
    print(f"{email} is {SAID[made['result']]}: {made['user_id']}")
    if made_up:
        print(f"password, shown this once: {made_up}")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument not in OPTIONS]
    if len(arguments) != 3:
        sys.exit(__doc__)
    main(*arguments, from_stdin="--password-stdin" in sys.argv, restore="--restore" in sys.argv)
