"""What an auditor asks for, as files: tables, one page for people, and the texts as they were.

`publications.csv` says what consumers read, since when, by whom, from which commit;
`refusals.csv` what was not published and why, with runs that failed or were cancelled; the
others are called by what is in them. `judged/<digest>/` has policies, waivers, approvals and
settings that verdicts were computed by, and `evidence.html` all the tables.
"""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from dataops_mesh.errors import MeshError, Problem, StoreError
from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.operations import operations
from dataops_mesh.ledger.period import (
    candidates_between,
    checks_between,
    ends_between,
    incidents_between,
    publications_between,
)
from dataops_mesh.run.account import APPROVAL
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.store.declarations import read_declaration

Row = Mapping[str, Any]
COLUMNS: dict[str, tuple[str, ...]] = {
    "publications": (
        *("publication", "published", "kind", "product", "product_version", "address"),
        *("partition", "rows", "fingerprint", "person", "reason", "run_id", "candidate"),
        *("git_commit", "code_version", "declaration", "code", "judged"),
    ),
    "refusals": (
        *("finished", "product", "partition", "outcome", "reasons", "person", "run_id"),
        *("candidate", "git_commit", "judged"),
    ),
    "checks": (
        *("finished", "product", "candidate", "port", "check", "outcome", "severity"),
        *("observed", "rows", "reason", "seconds"),
    ),
    "operations": (
        *("at", "person", "operation", "subjects", "reason", "release", "repository", "details"),
    ),
    "approvals": ("at", "product", "approver", "reason", "digest", "file", "candidate", "person"),
    "waivers": ("rule", "product", "who", "why", "until", "file", "judged"),
    "incidents": ("opened", "closed", "product", "kind", "subject", "why", "publication", "run_id"),
}
_STYLE = (
    "body{font:14px sans-serif}td,th{padding:2px 8px;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #ccc;white-space:pre-wrap}"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_account(
    environment: Environment, since: datetime, until: datetime, target: Path
) -> dict[str, int]:
    """Write the account of a time and return how many rows each table has.

    Args:
        environment: the store and the settings.
        since: from this moment on.
        until: before this moment.
        target: a folder, made here.

    Raises:
        StoreError: the folder is there already.
    """
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        what = f"{target} is there already: an account is never mixed with another"
        raise StoreError(Problem(what, key="--output", next="name another folder")) from None
    with open_record(environment) as ledger:
        tables = _tables(environment, ledger, since, until, target / "judged")
    for name, rows in tables.items():
        _write_csv(target / f"{name}.csv", COLUMNS[name], rows)
    page = _page(tables, since, until)
    (target / "evidence.html").write_text(page, "utf-8")
    return {name: len(rows) for name, rows in tables.items()}


def _tables(
    environment: Environment, ledger: Ledger, since: datetime, until: datetime, texts: Path
) -> dict[str, Sequence[Row]]:
    published = publications_between(ledger, since, until)
    built = candidates_between(ledger, since, until)
    done = operations(ledger, since, until)
    judged = sorted({row["judged"] for row in (*published, *built) if row["judged"]})
    return {
        "publications": published,
        "refusals": [
            *(row | {"outcome": row["verdict"]} for row in built if row["verdict"] != "publish"),
            *(
                row | {"finished": row["ended"], "reasons": row["why"]}
                for row in ends_between(ledger, since, until)
            ),
        ],
        "checks": checks_between(ledger, since, until),
        "operations": [
            {
                "at": one.at.isoformat(),
                "person": one.person,
                "operation": one.operation,
                "subjects": "\n".join(one.subjects),
                "reason": one.reason,
                "release": one.release,
                "repository": one.repository,
                "details": json.dumps(dict(one.details), sort_keys=True),
            }
            for one in done
        ],
        "approvals": [
            {
                **one.details,
                "at": one.at.isoformat(),
                "product": ", ".join(one.subjects),
                "reason": one.reason,
                "person": one.person,
            }
            for one in done
            if one.operation == APPROVAL
        ],
        "waivers": [row for digest in judged for row in _keep(environment, digest, texts)],
        "incidents": incidents_between(ledger, since, until),
    }


def _keep(environment: Environment, digest: str, target: Path) -> list[Row]:
    """Write the texts of a digest as files, and return the waivers in them."""
    found: dict[str, str] = {}
    with suppress(MeshError):  # the digest stands in the tables all the same
        found = read_declaration(environment.store, digest)
    waivers: list[Row] = []
    for name, text in found.items():
        path = target / digest / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if name.endswith("waivers.yaml"):
            waivers += _waivers(name, text, digest)
    return waivers


def _waivers(name: str, text: str, digest: str) -> Iterable[Row]:
    import yaml

    own = ".".join(Path(name).parts[-3:-1])  # domain.product of a product's own file
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:  # it judged nothing: the run was refused for it
        return
    entries = said.get("waivers") if isinstance(said, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield {"product": own, **entry, "file": name, "judged": digest}


def _write_csv(file: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def _cell(value: Any) -> Any:
    """Return a value as a spreadsheet may have it: a text that looks like a formula is none."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _page(tables: Mapping[str, Sequence[Row]], since: datetime, until: datetime) -> str:
    parts = [
        "<!doctype html><meta charset=utf-8><title>Evidence</title>",
        f"<style>{_STYLE}</style>",
        f"<h1>Evidence from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC</h1>",
    ]
    for name, rows in tables.items():
        head = "".join(f"<th>{column}</th>" for column in COLUMNS[name])
        parts.append(f"<h2>{name}: {len(rows)}</h2><table><tr>{head}</tr>")
        for row in rows:
            cells = (row.get(column) for column in COLUMNS[name])
            shown = ("" if cell is None else html.escape(str(cell)) for cell in cells)
            parts.append("<tr>" + "".join(f"<td>{text}</td>" for text in shown) + "</tr>")
        parts.append("</table>")
    return "\n".join(parts) + "\n"
