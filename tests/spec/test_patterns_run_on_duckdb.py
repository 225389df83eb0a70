"""A pattern that loads is a pattern that DuckDB's RE2 can run."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.spec.pattern import pattern_problem

GOOD = [
    "^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$", "(?i)^a$", "(?:a|b)+?", "[]a]", "[^]a]", r"[\d\-]",
    r"\bword\b", r"^\pL+$", r"\p{Greek}", "[[:alpha:]]+", "(?P<year>[0-9]{4})", r"a{1000}", "",
    r"\x{41}", r"\Aa\z", "[(?=]", r"\(?=", "[a-z&&[b]",
]  # fmt: skip
BAD = {
    "(?=a)": "lookahead",
    "(?!a)": "lookahead",
    "(?<=a)b": "lookbehind",
    "(?<!a)b": "lookbehind",
    r"(a)\1": "backreference",
    "(?P<x>a)(?P=x)": "backreference",
    "(?<x>a)": "named group without P",
    "(?>a)": "atomic group",
    "(a)?(?(1)b|c)": "conditional group",
    "a++": "possessive quantifier",
    "(?#note)a": "comment",
    "(?x)a": "flags",
    "(?a)b": "flags",
    r"a\Z": r"\Z",
    r"\u0041": r"\u",
    "a{1001}": "repetitions",
    r"[\1[[:alpha:]]": "escaped digit",
    "[[:x:]]": "the class [:x:]",
    "[^[:^letters:]]": "the class [:^letters:]",
    "[a-": "not a regular expression",
    "(": "not a regular expression",
    "*": "not a regular expression",
    "(" * 5000 + ")" * 5000: "longer than",
    "(" * 400 + ")" * 400: "",
}


def runs(pattern: str) -> bool:
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT regexp_matches('abc', $1)", [pattern])
        except duckdb.Error:
            return False
    return True


@pytest.mark.parametrize("pattern", GOOD)
def test_a_good_pattern_is_accepted_and_runs(pattern: str):
    assert pattern_problem(pattern) == ""
    assert runs(pattern)


@pytest.mark.parametrize("pattern", BAD)
def test_what_re2_lacks_is_named(pattern: str):
    assert BAD[pattern] in pattern_problem(pattern)
    if len(pattern) < 100:
        assert not runs(pattern)


PIECES = r"""
a b . ^ $ * + ? ?? {2} {2,} {,2} {1001} ( ) (?: (?P<n> (?<n> (?i) (?s: (?= (?<! (?> | [ ] [^ []
[a-z] \d \W \b \B \A \z \Z \1 \pL \p{L} \x41 \x{41} \Q \C \h \R \K \G \e \0 \n \_ - ,
[[:alpha:]] [:x:] \\ / é
""".split()  # noqa: SIM905 # the pieces read better as they are


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7))
def test_a_pattern_that_loads_runs(pieces: list[str]):
    pattern = "".join(pieces)
    if not pattern_problem(pattern):
        assert runs(pattern), pattern
