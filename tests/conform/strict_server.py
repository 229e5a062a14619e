"""A provider of another hand than the sandbox's, in few lines.

What it does is drawn; it forgives nothing.
"""

import json
import random
import threading
import time
from datetime import datetime
from email.utils import formatdate
from urllib.parse import parse_qsl

import httpx

from tests.cases import cases_beside

LIST = "/v2/payment-requests"
BASIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789. "
SETS = {
    "any": lambda char: True,
    "latin-1": lambda char: ord(char) < 256,
    "ascii": str.isascii,
    "basic": BASIC.__contains__,
}
CHOICES: dict[str, list[str]] = cases_beside(__file__)["choices"]


class Refused(Exception):
    """A status, and the operation whose error it is."""


class Provider:
    """`now` is its clock: it goes on by `skip`."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.does = {name: draw.choice(values) for name, values in CHOICES.items()}
        self.skipped = 0.0
        self.requests = []
        self.keys = {}
        self.lock = threading.Lock()

    def skip(self, seconds: float) -> None:
        self.skipped += seconds

    def now(self) -> float:
        return round(time.time() + self.skipped, 3)

    def refuse(self, assumption: str, operation: str = "list") -> None:
        raise Refused(int(self.does[assumption]), operation)

    def error(self, status: int, operation: str) -> dict:
        shape = self.does["error-shape"]
        if shape == "documented":
            shape = "api" if operation == "create" else "validation"
        api = {
            "error": {
                "code": int(self.does["error-code"]),
                "message": "error.x.invalid",
                "field": "x",
            }
        }
        return {"api": api, "validation": {"allErrors": []}, "plain": {"error": "wrong"}}[shape]

    def answer(self, request: httpx.Request) -> httpx.Response:
        last = request.url.path.rpartition("/")[2]
        is_list = request.url.path == LIST
        try:
            with self.lock:
                if "authorization" not in request.headers:
                    self.refuse("refused-token")
                if request.method == "GET":
                    found = (
                        self.list(parse_qsl(request.url.query.decode()))
                        if is_list
                        else self.get(last)
                    )
                elif last == "request-payment":
                    found = self.create(
                        request.headers.get("idempotency-key"), json.loads(request.content)
                    )
                else:
                    found = self.respond(last, json.loads(request.content))
            status = 200
        except Refused as refused:
            status = refused.args[0]
            found = self.error(*refused.args)
        return httpx.Response(status, json=found, headers={"date": formatdate(usegmt=True)})

    def list(self, query: list[tuple[str, str]]) -> dict:
        does = self.does
        names = [name for name, _ in query]
        if len({*names}) < len(names) and does["repeated-filter"] == "refuse":
            self.refuse("invalid-status")
        given = dict(query if does["repeated-filter"] == "last" else reversed(query))
        page = int(given.pop("page", does["first-page"]))
        size = int(given.pop("page_size", 25))
        most = int(does["max-page-size"])
        if size < 1 or (size > most and does["large-page"] == "refuse" and "page_size" in names):
            self.refuse("invalid-status")
        size = min(size, most)
        ends = does["window-ends"]
        items = [each for each in self.requests if self.now() - each["at"] >= int(does["list-lag"])]
        for name, value in given.items():
            if name in ("start_datetime", "end_datetime"):
                end = name.partition("_")[0]
                sign = 1 if name.startswith("s") else -1
                bound = round(datetime.fromisoformat(value).timestamp(), 3)
                closed = ends in ("both", end)
                items = [
                    each
                    for each in items
                    if (each["at"] - bound) * sign > 0 or (closed and each["at"] == bound)
                ]
            elif name in ("victor_id", "direction"):
                items = [
                    each for each in items if each["id" if name == "victor_id" else name] == value
                ]
            elif does["unknown-filter"] == "refuse":
                self.refuse("invalid-status")
        if does["order"] == "newest":
            items = items[::-1]
        elif does["order"] == "none":
            items = sorted(items, key=lambda each: int(each["id"][-5:]) * 7 % 11)
        index = max(0, page - int(does["first-page"]))
        last = max(0, (len(items) - 1) // size)
        if index > last and does["page-beyond"] != "empty":
            if does["page-beyond"] != "last":
                self.refuse("page-beyond")
            index = last
        found = items[index * size : index * size + size]
        return {"page": page, "page_size": size, "results": [self.shown(each) for each in found]}

    def word(self, status: str) -> str:
        return {"documented": status, "title": status.title(), "upper": status.upper()}[
            self.does["status-words"]
        ]

    def shown(self, item: dict, status: str | None = None) -> dict:
        at = item["at"] * 1000 if self.does["times"] == "milliseconds" else item["at"]
        direction = {"documented": str.lower, "upper": str.upper, "other": str.title}[
            self.does["directions"]
        ]
        details = {"amount": item["amount"], "notes": item["notes"]}
        shown = {
            "victor_payment_request_id": item["id"],
            "client_reference_id": item["reference"],
            "direction": direction(item["direction"]),
            "status": status or self.word(self.status(item)),
            "victor_payment_request_child_id": item.get("child"),
            "payment_request": {"payment_details": details, "created_at": at},
        }
        return shown if self.does["nulls"] == "true" else without_nulls(shown)

    def status(self, item: dict) -> str:
        return item.get("answer") or ("created" if self.now() - item["at"] < 2 else "processing")

    def get(self, id: str) -> dict:
        item = next((each for each in self.requests if each["id"] == id), None)
        if item is None or self.now() - item["at"] < int(self.does["get-lag"]):
            self.refuse("unknown-id", "get")
        return self.shown(item, None if self.does["get-status"] == "listed" else "Pending")

    def create(self, key: str | None, body: dict) -> dict:
        does = self.does
        fingerprint = json.dumps(body, sort_keys=True)
        if key is None and does["require-key"] == "true":
            self.refuse("invalid-status", "create")
        if key is not None and not int(does["key-shortest"]) <= len(key) <= int(
            does["key-longest"]
        ):
            self.refuse("invalid-status", "create")
        before, item = self.keys.get(key, (fingerprint, None))
        if key in self.keys and item is None:
            self.refuse("invalid-status", "create")
        if item is not None and self.now() - item["at"] < int(does["key-in-progress"]):
            raise Refused(409, "create")
        rule = does["key-repeat"] if before == fingerprint else does["key-conflict"]
        if item is not None and rule != "new":
            if rule.isdigit():
                raise Refused(int(rule), "create")
            return self.shown(item, None if rule == "current" else self.word("created"))
        try:
            item = self.checked(body)
        except Refused:
            if does["refused-key"] == "bound":
                self.keys[key] = (fingerprint, None)
            raise
        self.requests.append(item)
        if key is not None:
            self.keys[key] = (fingerprint, item)
        if does["twins"] == "true":
            item["child"] = f"IN{item['id']}"
            self.requests.append(
                {**item, "id": item["child"], "direction": "inbound", "child": None, "parent": item}
            )
        return self.shown(item, self.word("created"))

    def checked(self, body: dict) -> dict:
        details = body["payment_details"]
        does = self.does
        is_known = (
            body["payer"]["victor_counterparty_id"] == "aHeq349838"
            or does["unknown-payer"] == "accepted"
        )
        notes = self.kept("notes", details.get("notes"))
        reference = self.kept("reference", body["client_reference_id"])
        if not is_known or not details["amount"].replace(".", "").isdigit():
            self.refuse("invalid-status", "create")
        number = len(self.requests)
        made = {
            "id": f"N{number:05}",
            "at": self.now(),
            "direction": "outbound",
            "amount": details["amount"],
        }
        return made | {"notes": notes, "reference": reference}

    def kept(self, name: str, text: str | None) -> str | None:
        allowed = SETS[self.does[f"{name}-characters"]]
        limit = int(self.does[f"{name}-limit"])
        others = self.does["other-characters"]
        if text is None:
            return None
        if (others == "refuse" and not all(map(allowed, text))) or (
            self.does["long-texts"] == "refuse" and len(text) > limit
        ):
            self.refuse("invalid-status", "create")
        text = "".join(each if allowed(each) else "?" * (others == "replace") for each in text)
        return (text.strip() if self.does["trim-texts"] == "true" else text)[:limit]

    def respond(self, id: str, body: dict) -> dict:
        item = next((each for each in self.requests if each["id"] == id), {})
        said = {
            "status": body["status"].replace("Declined", "Rejected"),
            "victor_payment_request_id": id,
        }
        if "answer" in item and self.does["second-answer"] == "refuse":
            self.refuse("invalid-status", "respond")
        item["answer"] = item["parent"]["answer"] = body["status"].lower()
        if self.does["accepted-amount"] == "modified":
            item["amount"] = body.get("modified_amount", item["amount"])
        return said


def without_nulls(value: dict) -> dict:
    kept = {name: each for name, each in value.items() if each is not None}
    return {
        name: without_nulls(each) if isinstance(each, dict) else each for name, each in kept.items()
    }
