"""The AWS settings of the scripts here: the caller's own, and a region wherever one is said."""

import os
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

SAMCONFIG = Path(__file__).parent.parent / "samconfig.toml"


def session(stack: str) -> boto3.Session:
    """Settings for a stack's clients."""
    return boto3.Session(region_name=region(stack))


def region(stack: str) -> str:
    """The stack's region: of the environment, of samconfig.toml, of the profile.

    boto3 alone does not read AWS_REGION, which the AWS CLI and every other SDK prefer.
    """
    found = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    found = found or deployed_to(stack) or boto3.Session().region_name
    if not found:
        sys.exit("no region: set AWS_REGION, or one in the profile that AWS_PROFILE names")
    return found


def deployed_to(stack: str) -> str | None:
    """Where samconfig.toml deploys a stack of this name."""
    environments = tomllib.loads(SAMCONFIG.read_text()).values()
    settings = [environment.get("global", {}).get("parameters", {})
                for environment in environments if isinstance(environment, dict)]
    return next((one.get("region") for one in settings if one.get("stack_name") == stack), None)


def is_emulator() -> bool:
    """Whether the endpoint is one of this machine."""
    return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in {"127.0.0.1", "localhost", "::1"}


def outputs(aws: boto3.Session, stack: str) -> dict[str, str]:
    """A stack's outputs."""
    try:
        stacks = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        sys.exit(f"{stack} in {aws.region_name}: {error.response['Error']['Message']}")
    except BotoCoreError as error:
        sys.exit(f"{stack} in {aws.region_name}: {error}")
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
