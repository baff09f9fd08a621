"""Asks a deployed shop what anybody may ask, and some things that must be refused. It leaves nothing behind.

    smoke_test.py STACK

The shop is that of the stack's output ApiUrl, or of the emulator at AWS_ENDPOINT_URL. Each line is an answer; the first
that is not as it should be ends it with 1.
"""

import os
import sys
import time
from urllib.parse import urlsplit

import urllib3
from botocore.httpsession import get_cert_path
from settings import is_emulator, outputs, session

JSON, PROBLEM = "application/json", "application/problem+json"
# Between them they run functions without anything behind them, with a table, with the index of search in its bucket, and
# with the pages; and the gateway's answer to what is nowhere.
CHECKS = [
    ("GET", "/health", 200, JSON),
    ("GET", "/openapi.json", 200, "application/vnd.oai.openapi+json"),
    ("GET", "/products?limit=1", 200, JSON),
    ("GET", "/search?q=a", 200, JSON),
    ("GET", "/", 200, "text/html"),
    ("GET", "/orders", 401, PROBLEM),
    ("POST", "/orders", 422, PROBLEM),
    ("GET", "/users/me/nowhere", 404, PROBLEM),
]
# A name that is new is not known everywhere at once, and the first call of a function starts it.
PATIENCE, PAUSE = 90, 2


def main(stack: str) -> None:
    url = outputs(session(stack), stack)["ApiUrl"]
    base, headers = reached(url)
    http = urllib3.PoolManager(ca_certs=get_cert_path(True), timeout=30, retries=False)
    until = time.monotonic() + PATIENCE
    for method, path, status, content_type in CHECKS:
        while True:
            seen = ask(http, method, base + path, headers)
            if seen == (status, content_type):
                print(f"{method} {path}: {status} {content_type}")
                break
            if time.monotonic() > until or not may_become_right(seen):
                sys.exit(f"{method} {url}{path}: {seen}, and not {(status, content_type)}")
            time.sleep(PAUSE)


def reached(url: str) -> tuple[str, dict[str, str]]:
    """Where the API is asked, and by which headers: an emulator knows it by its host."""
    if not is_emulator():
        return url, {}
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    api = urlsplit(url).hostname.split(".")[0]
    return endpoint, {"Host": f"{api}.execute-api.localhost:{urlsplit(endpoint).port}"}


def ask(http, method: str, url: str, headers: dict[str, str]) -> tuple:
    body = {"body": b"{}", "headers": {**headers, "Content-Type": JSON}} if method == "POST" else {"headers": headers}
    try:
        answer = http.request(method, url, **body)
    except urllib3.exceptions.HTTPError as error:
        return (None, str(error))
    return (answer.status, answer.headers.get("content-type", "").split(";")[0])


def may_become_right(seen: tuple) -> bool:
    return seen[0] is None or seen[0] >= 500


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
