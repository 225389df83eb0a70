"""A publication or a candidate: what `mesh show` says, without numbers of classified columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.run.look import candidate_facts, look_command, publication_facts
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.web.facts.checks import about
from dataops_mesh.web.facts.columns import is_secret
from dataops_mesh.web.view import View

_DIGITS, _LONGEST, _PARTS = 15, 300, 20


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A publication, a candidate, or a release that only decides something.

    Args:
        what: `publication`, `candidate` or `release`.
        said: who, when, why: pairs of a word and what it is.
        candidates: each with its inputs, ports, checks and evidence, as `mesh show` has them.
        candidates_in_all: a rebuild of many partitions has many; the first are here.
    """

    what: str
    name: str
    product: str
    said: tuple[tuple[str, str], ...]
    ports: tuple[dict[str, Any], ...]
    candidates: tuple[dict[str, Any], ...]
    candidates_in_all: int


def publication_page(view: View, number: int) -> RecordPage:
    """Return the facts of a publication.

    Raises:
        UnknownNameError: there is none of that number.
    """
    if number < 1 or len(str(number)) > _DIGITS:
        raise UnknownNameError(Problem("no publication has this number", next="mesh status"))
    found = publication_facts(view.environment, number)
    if "release" in found:
        said = _said(found, "kind", "at", "person", "reason", "partition", "run_id")
        ports = tuple({"address": address} for address in found["addresses"])
        return RecordPage("release", str(number), found["product"], said, ports, (), 0)
    said = _said(found, "kind", "published", "person", "reason", "run_id")
    every = found["candidates"]
    return RecordPage(
        "publication",
        str(number),
        every[0].get("product", "") if every else "",
        said,
        tuple(found["ports"]),
        tuple(_candidate(view, one) for one in every[:_PARTS]),
        len(every),
    )


def candidate_page(view: View, ref: str) -> RecordPage:
    """Return the facts of a candidate, by `domain/product/id`.

    Raises:
        UnknownNameError: there is no such candidate.
    """
    plain = ref.isascii() and ref.isprintable() and ".." not in ref and len(ref) <= _LONGEST
    if not plain or ref.startswith("/"):
        raise UnknownNameError(Problem("no candidate has this name", next="mesh status"))
    found = _candidate(view, candidate_facts(view.environment, ref))
    said = _said(found, "verdict", "partition", "finished", "person", "run_id")
    return RecordPage("candidate", found["candidate"], found["product"], said, (), (found,), 1)


def _said(found: dict[str, Any], *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(found[name])) for name in names if found.get(name))


def _candidate(view: View, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of a candidate: how each check ended, what was read and left."""
    name = facts.get("product", "")
    secret = _secret_checks(view, name)
    checks = [
        {
            **{key: one.get(key) for key in ("port", "check", "outcome", "severity", "expected")},
            "observed": None if (one["port"], one["check"]) in secret else one.get("observed"),
            "reason": one.get("reason", ""),
        }
        for one in facts["checks"]
    ]
    kept = ("candidate", "product_version", "partition", "verdict", "reasons", "publications",
            "person", "run_id", "started", "finished", "seconds", "inputs", "quarantine",
            "captures", "not_executed", "confined", "erased", "complete")  # fmt: skip
    code = facts["code"]
    return {
        "product": name,
        "look": _look(facts),
        **{key: facts.get(key) for key in kept},
        "ports": [
            {key: one[key] for key in ("address", "rows", "fingerprint")} for one in facts["ports"]
        ],
        "checks": sorted(checks, key=lambda one: one["outcome"] == "passed"),
        "code": {"commit": code["commit"], "version": code["version"],
                 "files": sorted(code["files"])},
        "judged_by": facts["judged"]["texts"],
    }  # fmt: skip


def _look(facts: dict[str, Any]) -> str:
    """Return the command that shows the rows of a refused candidate."""
    if facts.get("verdict") != "refuse" or not facts["ports"]:
        return ""
    rows = sum(one["rows"] or 0 for one in facts["ports"])
    return look_command(facts["ports"][0]["address"], facts["candidate"], rows)


def _secret_checks(view: View, name: str) -> frozenset[tuple[str, str]]:
    """Return the checks of a product whose numbers are not shown; all if it is not declared."""
    product = view.catalogue.products.get(name)
    if product is None:
        return frozenset()
    contracts = [p.contract for p in product.outputs]
    contracts += [p.contract for p in product.inputs if p.contract is not None]
    secret = {column.name for one in contracts for column in one.columns if is_secret(column)}
    return frozenset(
        (str(check.port), check.name)
        for check in checks_of(product)
        if check.withheld or about(check) & secret
    )
