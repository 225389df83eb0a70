"""A cast that fails says of which column and where, in SQL, Python and rules; never the value."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, run, write_workspace

from dataops_mesh.errors import TransformError

PYTHON = "def transform(src):\n    rows = src.query('s', 'select code::int as n from s')\n    {}\n"
TRANSFORMS = {
    "p.sql": "select\n  code::int as n\nfrom src",
    "transform.py": PYTHON.format("return rows"),  # fails when it is written
    "transform.py ": PYTHON.format("return rows.to_arrow_table()"),  # fails in the code
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_in_a_transform(tmp_path: Path, name: str):
    made = a_product(
        {"p": ["{name: n, logicalType: integer}"]},
        inputs=[a_source("src", "src.csv")],
        files={name.strip(): TRANSFORMS[name], "src.csv": "code\nDE89\n12\n"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    with pytest.raises(TransformError) as caught:
        run(settings, "d.p")
    assert 'ConversionException: a value of "code" cannot be cast' in str(caught.value)
    assert "DE89" not in str(caught.value)


def test_in_a_rule(tmp_path: Path):
    rule = (
        "    quality:\n      - {id: odd, type: sql, mustBe: 0, "
        "query: 'select count(*) from {object} where code::int > 5'}\n"
    )
    contract = a_contract("p", ["{name: code, logicalType: string}"]) + rule
    made = a_product(
        {"p": contract},
        inputs=[a_source("src", "src.csv")],
        files={"p.sql": "select code from src", "src.csv": "code\nDE89\n12\n"},
    )
    report = run(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    (broken,) = [one for one in report.results if one.check == "odd"]
    assert 'a value of "code" cannot be cast' in broken.reason
    assert "DE89" not in str(report)
