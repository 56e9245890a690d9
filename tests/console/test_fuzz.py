"""Anything at all, in every field of every operation: never a fault of ours, never a number in an answer."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.app import document
from tests.console.rig import ORACLE, PATIENT, PLENTY, Api, open_api

EXAMPLES = int(os.environ.get("TRIAGELINE_FUZZ", "150"))
DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
NASTY = (
    PATIENT, "+44 7700 900123", "0044(0)7700900123", "party-x", "binding-x", "911", "", " ", "\x00", "\u202e", "\ud800",
    "０７７００９００１２３", "a" * 200, "' OR 1=1 --", "%2B447700900123", "pair",
    "patient", "active", "202", "US", "2026-11-24",
)  # fmt: skip
WORDS = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 10**400, 60, 1e308]))
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], str]:
    """Method, address, parameters and body of an operation, mostly of the right shape."""
    path = draw(st.sampled_from(sorted(DOCUMENT["paths"])))
    method = draw(st.sampled_from(sorted(DOCUMENT["paths"][path])))
    operation = DOCUMENT["paths"][path][method]
    params = {}
    for one in operation.get("parameters", ()):
        value = draw(WORDS)
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", _quoted(value) or "x")
        elif one["in"] == "query" and draw(st.booleans()):
            params[one["name"]] = value.replace("\ud800", "")
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    body = draw(_like(SCHEMAS[schema])) if schema and draw(st.integers(0, 9)) else draw(ANY)
    return method.upper(), path, params, json.dumps(body)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "ignore"))


def _like(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Objects with the schema's fields, each with a fitting value, or with any."""
    fields = {name: st.one_of(_value(about), _value(about), ANY) for name, about in schema["properties"].items()}
    needed = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional=fields)


def _value(about: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in about:
        found = SCHEMAS[about["$ref"].rpartition("/")[2]]
        return st.sampled_from(found["enum"]) if "enum" in found else _like(found)
    kinds = {"number": NUMBERS, "integer": NUMBERS, "boolean": st.booleans(), "null": st.none(), "string": WORDS}
    if about.get("type") == "array":
        return st.lists(_value(about["items"]), max_size=3)
    return st.one_of([_value(one) for one in about["anyOf"]]) if "anyOf" in about else kinds[about["type"]]


def test_no_request_breaks_anything(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with open_api(tmp_path) as api:
        api.remake(PLENTY, deliveries=None)  # it would knock at addresses
        _fuzz(api, {owner: api.token(owner=owner) for owner in ("clinic", "hotline")})


def _fuzz(api: Api, secrets: dict[str, str]) -> None:
    seen: Counter[int] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(request=requests(), owner=st.sampled_from(sorted(secrets)), key=st.sampled_from(["", "k", "\x7f", PATIENT]))
    def try_one(request: tuple[str, str, dict[str, str], str], owner: str, key: str) -> None:
        method, path, params, body = request
        found = api(
            method, path, secrets[owner], raw=body.encode("utf-8", "replace"), params=params, key=key, kept=False,
            headers={"content-type": "application/json"},
        )  # fmt: skip
        seen[found.status_code] += 1
        assert found.status_code < 500 or found.json()["error"]["message"] == "this installation does not have it"
        if found.status_code >= 400:
            assert set(found.json()["error"]) == {"code", "field", "message"}
        if not path.endswith("/reveal"):
            assert ORACLE.scan(found.content) == ()

    try_one()
    assert {200, 404, 422} <= set(seen), seen
    assert 429 not in seen
