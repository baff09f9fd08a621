"""What Schemathesis cannot know of the shop: ids that exist, products that can be ordered, passwords that are right.

Seven of eight requests that are meant to be right are completed with such things, so that most of what is answered
is an answer and not a refusal; the others stay as they were made up, and requests that are meant to be wrong are never
touched. Every answer is counted, by operation and status, in the file that SHOP_ANSWERS names.
"""

import itertools
import json
import os
import random
import re
import threading
import time

import requests
import schemathesis

BASE_URL = os.environ["SHOP_URL"]
PASSWORD = "a long word and a half"
# Schemathesis seeds its own choices; these only have to be spread.
CHOICE = random.Random(20261126)
NUMBERS = itertools.count()
ANSWERS = open(os.environ["SHOP_ANSWERS"], "a", encoding="utf-8", buffering=1)
LOCK = threading.Lock()
HTTP = requests.Session()
TOKEN = ""
TOKENS = set()


def log_in():
    body = {"email": os.environ["SHOP_ADMIN_EMAIL"], "password": os.environ["SHOP_ADMIN_PASSWORD"]}
    answer = HTTP.post(f"{BASE_URL}/sessions", json=body, timeout=30)
    answer.raise_for_status()
    token = answer.json()["access_token"]
    TOKENS.add(f"Bearer {token}")
    return token


@schemathesis.auth(refresh_interval=120)
class Administrator:
    """Administrators' tokens live for five minutes."""

    def get(self, case, context):
        return log_in()

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def ask(method, path, body=None):
    """An answer to the administrator, which must be a success."""
    global TOKEN
    for _ in range(2):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = HTTP.request(method, BASE_URL + path, json=body, headers=headers, timeout=30)
        if answer.status_code != 401:
            break
        TOKEN = log_in()
    answer.raise_for_status()
    return answer.json() if answer.content else None


def product():
    body = {"name": "Fuzzed", "price": 12.5, "category": "fuzzed", "stock": 1000000}
    return ask("POST", "/products", body)["id"]


def order():
    return ask("POST", "/orders", {"items": [{"product_id": PRODUCTS[0], "quantity": 1}]})["id"]


def confirmed_order():
    id = order()
    for _ in range(200):
        if ask("GET", f"/orders/{id}")["status"] == "confirmed":
            return id
        time.sleep(0.02)
    raise RuntimeError(f"{id} is not confirmed")


def address():
    return f"fuzzed-{os.getpid()}-{next(NUMBERS)}@example.com"


def user():
    return ask("POST", "/users", {"email": address(), "password": PASSWORD, "name": "Fuzzed"})["id"]


def credentials():
    return {"email": KNOWN, "password": PASSWORD}


def refresh_token():
    return ask("POST", "/sessions", credentials())["refresh_token"]


def mailed(address, prefix):
    """The token of the newest mail to an address that has one of this kind."""
    row = re.compile(rf"<td>{re.escape(address)}</td><td><a href=\"(/mailbox/[^\"]+)\"")
    for _ in range(500):
        for path in row.findall(HTTP.get(f"{BASE_URL}/mailbox", timeout=30).text):
            found = re.search(rf"\b{prefix}1\.[\w.-]+", HTTP.get(BASE_URL + path, timeout=30).text)
            if found:
                return found[0]
        time.sleep(0.02)
    raise RuntimeError(f"no mail with a token for {address}")


def reset_token():
    """Of a new account: one is sent a few mails at most."""
    to = address()
    ask("POST", "/users", {"email": to, "password": PASSWORD, "name": "Fuzzed"})
    ask("POST", "/password-resets", {"email": to})
    return mailed(to, "rp")


def import_():
    """An import whose file was put."""
    made = ask("POST", "/imports", {"format": "csv"})
    HTTP.put(made["upload"]["url"], data=b"name,price\nFuzzed,1\nFuzzed,free\n", timeout=30).raise_for_status()
    return made["id"]


PRODUCTS = [product() for _ in range(20)]
ORDERS = [order() for _ in range(5)]
USERS = [user() for _ in range(5)]
EXPORTS = [ask("POST", "/exports", {"format": "csv"})["id"] for _ in range(3)]
IMPORTS = [import_() for _ in range(3)]
REDRIVES = [ask("POST", "/monitor/redrives", {"consumer": "settle-order", "reason": "Fuzzed"})["id"]]
for started in IMPORTS:
    ask("POST", f"/imports/{started}/start")
KNOWN = address()
ask("POST", "/users", {"email": KNOWN, "password": PASSWORD, "name": "Fuzzed"})
CONFIRMATION = mailed(KNOWN, "ce")
EMAILS = [email["id"] for email in ask("GET", "/emails")["data"]]
# Whose address is confirmed may ask for another mail as often as they like: none is sent. The second pass finds it so.
if not ask("GET", "/users/me")["email_confirmed"]:
    ask("POST", "/users/me/email-confirmation")
    ask("POST", "/email-confirmations", {"token": mailed(os.environ["SHOP_ADMIN_EMAIL"], "ce")})


def id_of(operation):
    """An id that the operation's path can name; what is used up by the request is made for it."""
    if operation == "delete-product":
        return product()
    if operation == "cancel-order":
        return order()
    if operation == "update-order-status":
        return confirmed_order()
    if operation == "start-import":
        return import_()
    if operation == "list-dead-letters":
        return "settle-order"
    if "redrive" in operation:
        return CHOICE.choice(REDRIVES)
    if "import" in operation:
        return CHOICE.choice(IMPORTS)
    if "export" in operation:
        return CHOICE.choice(EXPORTS)
    if operation == "get-email":
        return CHOICE.choice(EMAILS)
    if operation in ("delete-user", "set-user-role"):
        return user()
    if operation in ("update-user", "request-email-confirmation"):
        return "me"
    if operation in ("get-order", "get-story"):
        return CHOICE.choice(ORDERS)
    if "user" in operation:
        return CHOICE.choice(USERS)
    return CHOICE.choice(PRODUCTS)


def completed(operation, body):
    """A body that can be answered with more than a refusal, as near to the one that was made up as it can be."""
    if operation == "create-order":
        lines = body.get("items") or [{}]
        chosen = CHOICE.sample(PRODUCTS, min(len(lines), len(PRODUCTS)))
        quantity = lambda line: min(int(line.get("quantity") or 1), 10)
        items = [{"product_id": id, "quantity": quantity(line)} for id, line in zip(chosen, lines)]
        return {"items": items}
    if operation in ("create-product", "update-product"):
        body = {name: value for name, value in body.items() if name not in ("currency", "image_url", "stock", "low_stock_threshold", "id")}
        if "price" in body:
            body["price"] = round(min(max(abs(body["price"] or 0), 0.01), 1e6), 2)
        return {**body, "name": "Fuzzed"}
    if operation == "set-stock":
        threshold = {"low_stock_threshold": CHOICE.randrange(0, 100)} if CHOICE.random() < 1 / 2 else {}
        return {"stock": CHOICE.randrange(1, 1000000), **threshold}
    if operation == "register-user":
        return {"email": address(), "password": PASSWORD, "name": "Fuzzed"}
    if operation == "create-session":
        return credentials()
    if operation == "request-password-reset":
        return {"email": CHOICE.choice((KNOWN, address()))}
    if operation == "reset-password":
        return {"token": reset_token(), "password": f"{PASSWORD} {next(NUMBERS)}"}
    if operation == "confirm-email":
        return {"token": CONFIRMATION}
    if operation == "refresh-session":
        return {"refresh_token": refresh_token()}
    if operation == "update-user":
        return {"name": f"Fuzzed {next(NUMBERS)}"}
    if operation == "set-user-role":
        return {"role": "customer"}
    if operation in ("create-redrive", "create-discard"):
        rate = {"rate": CHOICE.randrange(1, 1000)} if CHOICE.random() < 1 / 2 else {}
        return {"consumer": CHOICE.choice(("settle-order", "send-email")), "reason": "Fuzzed", **rate}
    if operation == "update-order-status":
        number = body.get("tracking_number")
        return {"status": "shipped", **({"tracking_number": number} if number else {})}
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    if operation == "delete-session" and (case.headers or {}).get("Authorization") in TOKENS:
        # Not the session that all other requests are of.
        session = HTTP.post(f"{BASE_URL}/sessions", json=credentials(), timeout=30).json()
        case.headers = {**case.headers, "Authorization": f"Bearer {session['access_token']}"}
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive or CHOICE.random() < 1 / 8:
        return
    with LOCK:
        if case.path_parameters and "id" in case.path_parameters:
            case.path_parameters["id"] = id_of(operation)
        if isinstance(case.body, dict):
            case.body = completed(operation, case.body)
        for name in ("If-Match", "If-None-Match", "cursor"):
            for part in (case.headers, case.query):
                if part and name in part:
                    del part[name]
        if operation == "refresh-session":
            # By its body or, of a page, by its cookie.
            headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "session-transport"}
            if not isinstance(case.body, dict) or CHOICE.random() < 1 / 2:
                headers |= {"Session-Transport": "cookie", "Cookie": f"__Host-refresh={refresh_token()}"}
                # A body that is set is judged anew, and one that is not there would be called wrong.
                if isinstance(case.body, dict):
                    case.body = {}
            case.headers = headers
        if operation in ("search-products", "suggest-products"):
            # Words that find something, one of them misspelt.
            case.query = {**(case.query or {}), "q": CHOICE.choice(("fuzzed", "fuz", "fuzed"))}
        if operation == "list-orders" and case.query:
            case.query.pop("customer_id", None)
            case.query.pop("to", None)
        if operation == "list-users" and case.query:
            case.query.pop("email", None)
        if operation in ("get-sales", "get-product-sales"):
            # A range that is made up has its end before its beginning; the last week is always there.
            for name in ("from", "to", "currency"):
                if case.query and name in case.query:
                    del case.query[name]
            if case.headers and "Accept" in case.headers:
                case.headers["Accept"] = CHOICE.choice(("*/*", "application/json", "text/csv"))
        if operation in ("list-events", "get-story") and case.query:
            # A range that is made up is empty.
            case.query.pop("from", None)
            case.query.pop("to", None)
        if operation == "list-emails" and case.query:
            case.query.pop("order_id", None)
            case.query.pop("user_id", None)


@schemathesis.hook
def after_call(context, case, response):
    operation = case.operation.definition.raw["operationId"]
    ANSWERS.write(json.dumps([operation, response.status_code]) + "\n")
