"""Reads `policies.yaml` and `waivers.yaml`: every problem of a file at once."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, did_you_mean
from dataops_mesh.policy.builtin import ALWAYS, BUILT_IN
from dataops_mesh.policy.model import Answers, Policy, Waiver, ask_anew
from dataops_mesh.policy.plugin import plugged_in
from dataops_mesh.policy.rules import LONGEST_WAIVER, Policies, configure
from dataops_mesh.spec.model import Product, Severity
from dataops_mesh.spec.paths import shown
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.yaml import Document, read_document
from dataops_mesh.spec.standards.schema import Validator, validate

WAIVERS_FILE = "waivers.yaml"
_SCHEMAS = Path(__file__).parent / "schemas"


def load_policies(file: Path, root: Path, answers: Answers = ask_anew) -> Policies:
    """Return what holds in a workspace; without the file, every policy as a warning.

    Args:
        file: of policies.
        root: the workspace.
        answers: remembers which expressions are valid.

    Raises:
        DeclarationError: every problem of the file, and of packages that bring policies.
    """
    problems: list[Problem] = []
    policies = (*BUILT_IN, *plugged_in(problems))
    if not file.is_file():
        if problems:
            raise DeclarationError(problems)
        return configure(policies, None, Severity.WARNING, problems)
    document = read_document(file, shown(file, root))
    node = Node(document, document.data)
    problems += validate(schema_validator("policies"), node)
    given = node.text("default")
    default = Severity(given) if given in tuple(Severity) else Severity.WARNING
    rules = node.child("rules")
    rules = rules if rules and isinstance(rules.value, dict) else None
    found = configure(policies, rules, default, problems)
    own = _organisation(node, default, {policy.id for policy in policies}, problems, answers)
    known = {policy.id for policy in (*policies, *own)}
    longest, unwaivable = _waiving(node, known, problems)
    if problems:
        raise DeclarationError(sorted(dict.fromkeys(problems), key=_line))
    return Policies((*found.rules, *own), found.off, longest, unwaivable)


def load_waivers(
    root: Path, products: tuple[Product, ...], *, shared: bool = True
) -> tuple[Waiver, ...]:
    """Return the waivers of the workspace and of the products' folders.

    Args:
        root: the workspace.
        products: whose folders to look in.
        shared: also read those of the workspace.

    Raises:
        DeclarationError: every problem of every file.
    """
    problems: list[Problem] = []
    waivers: list[Waiver] = []
    places = [(root / WAIVERS_FILE, "")] if shared else []
    places += [(product.folder / WAIVERS_FILE, product.qualified_name) for product in products]
    for file, product in places:
        if not file.is_file():
            continue
        try:
            document = read_document(file, shown(file, root))
        except DeclarationError as error:
            problems += error.problems
            continue
        waivers += _waivers(document, product, problems)
    if problems:
        raise DeclarationError(problems)
    return tuple(waivers)


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of `policies` or `waivers`."""
    loaded: dict[str, Any] = json.loads((_SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def policies_schema() -> dict[str, Any]:
    """Return the schema of `policies.yaml` for editors: with the names of the known policies."""
    made: dict[str, Any] = json.loads(json.dumps(schema("policies")))
    rules = made["properties"]["rules"]
    each = rules.pop("additionalProperties")
    policies = (*BUILT_IN, *plugged_in([]))
    rules["properties"] = {p.id: {"description": p.rationale, **each} for p in policies}
    rules["additionalProperties"] = False
    return made


@cache
def schema_validator(name: str) -> Validator:
    """Return the validator of `policies.yaml` or `waivers.yaml`."""
    made: dict[str, Any] = json.loads(json.dumps(schema(name)))
    if name == "policies":
        # `configure` knows which policies there are, and says more.
        del made["properties"]["rules"]["additionalProperties"]
    return Validator(made)


def _organisation(
    node: Node, default: Severity, taken: set[str], problems: list[Problem], answers: Answers
) -> list[Policy]:
    rules = []
    for entry in node.items("organisation"):
        id_, text = entry.text("id"), entry.text("expression")
        if id_ is None or text is None:
            continue  # the schema has reported it
        if id_ in taken or id_ in ALWAYS:
            child = entry.child("id") or entry
            problems.append(child.problem(f'there is a policy "{id_}" already', then="rename it"))
        taken.add(id_)
        from dataops_mesh.policy.cel import check_of, expression_problem

        if wrong := answers(text, None, partial(expression_problem, text)):
            child = entry.child("expression") or entry
            problems.append(child.problem(wrong))
        message, given = entry.text("message") or "", entry.text("severity")
        severity = Severity(given) if given in tuple(Severity) else default
        why = entry.text("rationale") or "a rule of the organisation"
        check = check_of(text, message, entry.text("fix") or "")
        rules.append(Policy(id_, why, check, severity))
    return rules


def _waiving(node: Node, known: set[str], problems: list[Problem]) -> tuple[int, frozenset[str]]:
    """Return for how long a waiver may hold, and of which policies there is none."""
    said = node.child("waivers")
    if said is None or not isinstance(said.value, dict):
        return LONGEST_WAIVER, frozenset()
    longest = said.value.get("longest", LONGEST_WAIVER)
    named = said.texts("unwaivable")
    problems += [
        (said.child("unwaivable") or said).problem(
            f'there is no policy "{name}"{did_you_mean(name, known)}', sorted(known)
        )
        for name in named
        if name not in known
    ]
    return (longest if isinstance(longest, int) else LONGEST_WAIVER), frozenset(named)


def _waivers(document: Document, own: str, problems: list[Problem]) -> list[Waiver]:
    from datetime import date

    node = Node(document, document.data)
    wrong = validate(schema_validator("waivers"), node)
    problems += wrong
    found = []
    for entry in node.items("waivers") if not wrong else []:
        product = entry.text("product") or own
        if not product or (own and product != own):
            child = entry.child("product") or entry
            says = f"can only be for {own}" if own else "needs a product"
            problems.append(child.problem(f"a waiver in {document.file} {says}"))
            continue
        text, until = (
            {key: entry.text(key) or "" for key in ("rule", "who", "why")},
            entry.child("until"),
        )
        try:
            day = date.fromisoformat(entry.text("until") or "")
        except ValueError:
            problems.append((until or entry).problem("is not a day", then="write it as 2027-01-31"))
            continue
        found.append(Waiver(text["rule"], product, text["who"], text["why"], day, entry.where))
    return found


def _line(problem: Problem) -> int:
    return problem.where.line if problem.where else 0
