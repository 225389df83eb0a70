"""What the OpenAPI document says is what is answered, whatever is asked."""

from __future__ import annotations

import json
from urllib.parse import quote

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = {
    "domain": "shop", "product": "shop.customers", "publication": "1", "incident": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(pages):
    return json.loads(pages.get("/api/openapi.json").text)


def asked(document, pages, path: str, name: str = "", **query: str):
    """Ask, and hold the answer against the schema of its status."""
    said = document["paths"][path]["get"]["responses"]
    words = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    answer = pages.get(path.replace("{name}", quote(name)) + (f"?{words}" if words else ""))
    assert str(answer.status) in said, (path, name, query)
    content = said[str(answer.status)]["content"]["application/json"]["schema"]
    schema = {**content, "components": document["components"]}
    found = json.loads(answer.text)
    jsonschema.Draft202012Validator(schema).validate(found)
    return answer.status, found


def test_every_path_answers_what_its_schema_says(document, pages, crawled):
    met = dict.fromkeys((200, 404), 0)
    for path in document["paths"]:
        if "{name}" not in path:
            met[asked(document, pages, path)[0]] += 1
    for path in crawled:
        kind, _, name = path.strip("/").partition("/")
        if name and f"/api/{kind}/{{name}}" in document["paths"]:
            status, _ = asked(document, pages, f"/api/{kind}/{{name}}", name)
            met[status] += 1
    assert met[200] > 20
    assert met[404] == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_question_makes_it_fail(data, document, pages):
    path = data.draw(st.sampled_from(sorted(document["paths"])))
    text = st.text(max_size=40) | st.sampled_from(sorted(NAMES.values()))
    name = data.draw(text.filter(lambda one: one.strip("/") and one not in {".", ".."}))
    known = [one["name"] for one in document["paths"][path]["get"]["parameters"]]
    query = {key: data.draw(text) for key in known if key != "name"}
    if "{name}" in path and "/" in name and "candidates" not in path:
        name = name.replace("/", "")
    if "{name}" in path and not name:
        return
    asked(document, pages, path, name, **query)
