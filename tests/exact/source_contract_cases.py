"""A product whose source has a contract."""

from __future__ import annotations

from pathlib import Path

from helpers import a_contract, a_product, a_source, read, run, write_workspace

from dataops_mesh.gate import Publish
from dataops_mesh.run.report import Report

PARSED = ["{name: k, logicalType: integer}", "{name: v, logicalType: %s}"]


def written(
    tmp_path: Path,
    text: str,
    column: str,
    *,
    rules: tuple[str, ...] = (),
    path: str = "src.csv",
    port: str = "{name: v, logicalType: string}",
    extra: str = "",
    more: str = "",
    python: bool = False,
):
    columns = ["{name: k, logicalType: integer}", column]
    code = {"transform.py": "def transform(src):\n    return src\n"}
    made = a_product(
        {"p": ["{name: k, logicalType: integer}", port]},
        inputs=[a_source("src", path, more=more)],
        files={
            **(code if python else {"p.sql": "select * from src"}),
            path: text,
            "inputs/src.odcs.yaml": a_contract("src", columns, *rules, extra=extra),
        },
    )
    return write_workspace(tmp_path, {"d": {"p": made}})


def published(tmp_path: Path, text: str, column: str, **more: object) -> tuple[Report, list]:
    settings = written(tmp_path, text, column, **more)
    report = run(settings, "d.p")
    if not isinstance(report.decision, Publish):
        return report, []
    return report, [value for (value,) in read(settings, "select v from d.p order by k")]


# What a day's values look like makes no difference: the same declaration on every one of them.
