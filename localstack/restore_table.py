"""Puts back into a stack's table what a restored copy of it has, and the table has not.

    restore_table.py STACK TABLE COPY [--write] [--overwrite]

Without --write it only says what it would do. An item that the table has not is put, unless somebody puts one meanwhile,
and unless its time to live is over. One that the table has otherwise is told by its key; --overwrite puts the copy's in its
place, if it is still what was compared. What the table has and the copy has not stays as it is: it is newer. Every item that
is put goes through the table's stream, as any write does. Run again, it goes on: what is put back is alike.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from botocore.exceptions import ClientError
from settings import session

# What BatchGetItem takes.
BATCH = 100


def main(stack: str, table: str, copy: str, write: bool, overwrite: bool) -> Counter:
    dynamodb = session(stack).client("dynamodb")
    try:
        keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
        ends = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("AttributeName")
        counts = compare(dynamodb, table, copy, keys, ends, write, overwrite)
    except ClientError as error:
        sys.exit(f"{error.operation_name}: {error.response['Error']['Message']}")
    print(json.dumps(counts))
    return counts


def compare(dynamodb, table: str, copy: str, keys: list[str], ends: str | None, write: bool, overwrite: bool) -> Counter:
    """Looks at every item of the copy, and counts what was found and done."""
    counts = Counter(looked_at=0, alike=0, missing=0, different=0, expired=0, put=0, changed_meanwhile=0)
    pages = dynamodb.get_paginator("scan").paginate(TableName=copy)
    for items in batches(item for page in pages for item in page["Items"]):
        there = {text(item, keys): item for item in read(dynamodb, table, items, keys)}
        for item in items:
            counts["looked_at"] += 1
            found = there.get(text(item, keys))
            if found == item:
                counts["alike"] += 1
            elif found is None and ends in item and int(item[ends].get("N", "0")) < time.time():
                counts["expired"] += 1
            else:
                counts["missing" if found is None else "different"] += 1
                if found is not None:
                    print(f"different: {text(item, keys)}", file=sys.stderr)
                if write and (found is None or overwrite):
                    counts["put" if put(dynamodb, table, item, found, keys) else "changed_meanwhile"] += 1
    return counts


def batches(items: Iterable[dict]) -> Iterator[list[dict]]:
    """As many at a time as are read at once."""
    batch: list[dict] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def text(item: dict, keys: list[str]) -> str:
    """An item's key, in one way."""
    return json.dumps([item[key] for key in keys])


def read(dynamodb, table: str, items, keys: list[str]) -> list[dict]:
    """The table's items of the same keys, as they are now."""
    wanted = {table: {"Keys": [{key: item[key] for key in keys} for item in items], "ConsistentRead": True}}
    found = []
    while wanted:
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        found += answer["Responses"].get(table, [])
        # What there was no throughput for; botocore has waited before it tries a throttled call again.
        wanted = answer.get("UnprocessedKeys")
    return found


def put(dynamodb, table: str, item: dict, found: dict | None, keys: list[str]) -> bool:
    """Puts an item where `found` is still what is there; whether it was."""
    compared = {keys[0]: None} if found is None else found
    names = {f"#n{place}": name for place, name in enumerate(compared)}
    if found is None:
        condition, values = {"ConditionExpression": "attribute_not_exists(#n0)"}, {}
    else:
        condition = {"ConditionExpression": " AND ".join(f"#n{place} = :v{place}" for place in range(len(found)))}
        values = {"ExpressionAttributeValues": {f":v{place}": value for place, value in enumerate(found.values())}}
    try:
        dynamodb.put_item(TableName=table, Item=item, ExpressionAttributeNames=names, **condition, **values)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


if __name__ == "__main__":
    flags = {argument for argument in sys.argv[1:] if argument.startswith("--")}
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if len(names) != 3 or flags - {"--write", "--overwrite"}:
        sys.exit(__doc__)
    main(*names, "--write" in flags, "--overwrite" in flags)
