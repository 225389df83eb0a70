"""A mask under which the contract would not hold is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import product, run
from mask_cases import cells, column, people, workspace

from dataops_mesh.errors import DeclarationError, RunError


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            ["integer", "{method: hash, secret: people}"],
            "hash makes text, and the column is integer",
        ),
        (
            ["string", "{method: hash, secret: people}", ", logicalTypeOptions: {maxLength: 20}"],
            "maxLength is 20",
        ),
        (
            ["string", "{method: hash, secret: people}", ", physicalType: UUID"],
            "makes VARCHAR, and this is UUID",
        ),
        (["string", "{method: hash, secret: People}"], "does not match"),
        (["string", "hash"], "must be a mapping"),
        (["string", "{}"], "is missing"),
        (["string", "{method: shuffle}"], "shuffle"),
        (["string", "{method: hash}"], "hash needs secret"),
        (["string", "{method: hash, secret: people_for}"], "does not end in _for"),
        (["string", "{method: constant}"], "constant needs value"),
        (["string", "{method: partial}"], "partial needs keepFirst or keepLast"),
        (["string", "{method: hash, secret: people, value: x}"], "hash does not take value"),
        (["date", "{method: bucket, width: 1, unit: day}"], "bucket needs width or unit"),
        (["string", "{method: hash, secret: p, unmaskedRoles: [a]}"], "not supported yet"),
        (
            ["integer", "{method: constant, value: x}"],
            "the column is integer, and the constant is not",
        ),
        (["integer", "{method: partial, keepFirst: 1}"], "partial is of text"),
        (["string", "{method: bucket, width: 10}"], "a bucket is of numbers and dates"),
        (["integer", "{method: bucket, width: 0}"], "out of range"),
        (["integer", "{method: bucket, width: 0.5}"], "whole number"),
        (["integer", "{method: bucket, unit: day}"], "a bucket of integer is a number"),
        (["date", "{method: bucket, width: 10}"], "unit of time"),
        (["date", "{method: bucket, unit: hour}"], "unit of time"),
        (
            ["string", "{method: constant, value: x}", ", unique: true"],
            "unique, and constant makes values",
        ),
        (
            ["integer", "{method: bucket, width: 2}", ", primaryKey: true"],
            "a key, and bucket makes values",
        ),
        (
            ["string", "{method: constant, value: null}", ", required: true"],
            "required, and the mask makes nulls",
        ),
    ],
)
def test_a_mask_under_which_the_contract_does_not_hold_is_refused(tmp_path: Path, columns, said):
    settings = workspace(tmp_path, people("id,x\n1,2\n", column("x", *columns)))
    with pytest.raises(DeclarationError) as caught:
        product(settings, "hr.people")
    assert said in str(caught.value)
    assert "people.odcs.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "bucket"),
    [
        ("integer", "-9223372036854775808", "{method: bucket, width: 10}"),
        ("date", "5877642-06-25 (BC)", "{method: bucket, unit: decade}"),
    ],
)
def test_a_bucket_beyond_the_end_of_its_type_is_told_as_what_it_is(tmp_path, kind, value, bucket):
    """It is no fault of the transform, and the value is not told."""
    stored = "bigint" if kind == "integer" else kind
    files = people(
        f"id,x\n1,{value}\n",
        column("x", kind, bucket),
        sql=f"select id::int as id, x::{stored} as x from people_csv",
    )
    settings = workspace(tmp_path, files)
    with pytest.raises(RunError, match=r"a value of x in hr\.people is the least") as caught:
        run(settings, "hr.people")
    assert value[:6] not in str(caught.value)
    assert value[:6] not in cells(settings.store_folder)
