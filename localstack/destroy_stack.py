"""Deletes a stack, and what a deleted stack leaves behind: its tables, buckets, secrets and logs, with their data.

    destroy_stack.py STACK

A stack with termination protection is refused. Run again, it goes on where it stopped while the stack is there.
"""

import subprocess
import sys
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError
from settings import outputs, session

# What each kind says of something that is gone.
GONE = {"ResourceNotFoundException", "NoSuchBucket", "404", "ValidationError"}


def main(stack: str) -> None:
    aws = session(stack)
    outputs(aws, stack)  # Says that there is none, before anything is done.
    cloudformation = aws.client("cloudformation")
    if cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("EnableTerminationProtection"):
        sys.exit(f"{stack} is protected: it is deleted by hand (docs/operations.md, Cleaning up)")
    found = resources(cloudformation, stack)
    # Whatever stops this, they are known: a stack that is gone names nothing any more.
    for kind in LEFT:
        for name in found.get(kind, []):
            print(f"to be deleted: {name}")
    for table in found.get("AWS::DynamoDB::Table", []):
        unless_gone(unprotect, aws.client("dynamodb"), table)
    for bucket in found.get("AWS::S3::Bucket", []):
        unless_gone(empty, aws.client("s3"), bucket)
    sam = Path(sys.executable).with_name("sam")
    subprocess.run([sam, "delete", "--no-prompts", "--stack-name", stack, "--region", aws.region_name], check=True)
    for kind, (delete, service) in LEFT.items():
        client = aws.client(service)
        for name in found.get(kind, []):
            if unless_gone(delete, client, name):
                print(f"deleted {name}")
    for table in found.get("AWS::DynamoDB::Table", []):
        try:
            aws.client("dynamodb").get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 2})
        except WaiterError as error:
            sys.exit(f"{table}: {error}")
    print(f"nothing is left of {stack}")


def resources(cloudformation, stack: str) -> dict[str, list[str]]:
    """The stack's resources, by their types."""
    found: dict[str, list[str]] = {}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        if physical := resource.get("PhysicalResourceId"):
            found.setdefault(resource["ResourceType"], []).append(physical)
    return found


def unless_gone(delete, client, name: str) -> bool:
    """Deletes it; whether it was there."""
    try:
        delete(client, name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return False
    return True


def empty(s3, bucket: str) -> None:
    """Deletes every version of every object: a bucket with any is not deleted."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        if objects:
            refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors")
            if refused:
                sys.exit(f"{bucket}: {refused[0]}")


def unprotect(dynamodb, name: str) -> None:
    """Takes a table's protection off. Until that is done the table is being updated, and is not deleted."""
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2})


def delete_table(dynamodb, name: str) -> None:
    dynamodb.delete_table(TableName=name)


def delete_bucket(s3, name: str) -> None:
    # A function that was at work until the stack was gone may have put something there.
    empty(s3, name)
    s3.delete_bucket(Bucket=name)


def delete_secret(secrets, name: str) -> None:
    # One that waits for its deletion is there to be described, and is deleted at once by this.
    secrets.describe_secret(SecretId=name)
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


# What a deleted stack leaves behind, and how it is deleted.
LEFT = {
    "AWS::DynamoDB::Table": (delete_table, "dynamodb"),
    "AWS::S3::Bucket": (delete_bucket, "s3"),
    "AWS::SecretsManager::Secret": (delete_secret, "secretsmanager"),
    "AWS::Logs::LogGroup": (lambda logs, name: logs.delete_log_group(logGroupName=name), "logs"),
}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
