"""Whatever the OpenAPI document allows, and whatever it forbids, is answered as it says."""

from __future__ import annotations

import pytest
import schemathesis
from eventful import PERSON, PHONE
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from dataops_mesh.web.openapi import path_of
from dataops_mesh.web.pages import PAGES


@pytest.fixture(scope="module")
def api(pages):
    return schemathesis.openapi.from_asgi("/api/openapi.json", pages.app)


# Any text may be a name, and a path that takes nothing cannot be asked wrongly.
WRONG = {path_of(page) for page in PAGES if {"page", "before"} & set(page.query)}
QUESTIONS = [
    *((path_of(page), GenerationMode.POSITIVE) for page in PAGES),
    *((path, GenerationMode.NEGATIVE) for path in sorted(WRONG)),
]


@pytest.mark.parametrize(("path", "mode"), QUESTIONS)
def test_every_question_is_answered_as_the_document_says(path, mode, api):
    operation = api[path]["GET"]

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case) -> None:
        answer = case.call_and_validate()
        assert answer.status_code < 500
        assert PERSON not in answer.text
        assert PHONE not in answer.text

    ask()
