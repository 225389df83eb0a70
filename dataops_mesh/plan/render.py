"""A plan as text for a terminal, as Markdown for a pull request, and as plain data."""

from __future__ import annotations

from typing import Any

from dataops_mesh.plan.change import Bump, Change
from dataops_mesh.plan.plan import Consumer, Plan, ProductPlan

_NOTHING = "Nothing changed."


def as_text(plan: Plan) -> str:
    """Return the plan for people at a terminal."""
    lines = [f"plan {plan.digest}, against {plan.against}"]
    if not plan.products:
        lines.append(_NOTHING)
    for product in plan.products:
        lines += ["", f"{product.product}: {product.state}"]
        lines += [f"  {_judged(one)}  {_what(one)}" for one in product.changes]
        lines += [f"  version  {text}" for text in _versions(product)]
        lines += [f"  consumer {_consumer(one)}" for one in product.consumers]
        lines += [f"  not executed  {text}" for text in product.unexecuted]
        lines += [f"  REFUSED  {reason}" for reason in product.refusals]
        lines += [f"  instead  {text}" for text in product.rewrites]
        if product.approval:
            lines.append(f"  approval approvals/{product.approval}.yaml")
    if plan.rebuild:
        lines += ["", f"will be rebuilt: {', '.join(plan.rebuild)}"]
    lines += [f"warning: {text}" for text in plan.warnings]
    return "\n".join(lines)


def as_markdown(plan: Plan) -> str:
    """Return the plan as a comment on a pull request."""
    lines = ["## Data product plan", "", f"Digest `{plan.digest}`, against `{plan.against}`."]
    if not plan.products:
        lines += ["", _NOTHING]
    for product in plan.products:
        mark = " (refused)" if product.refusals else ""
        lines += ["", f"### `{product.product}` {product.state}{mark}", ""]
        lines += ["| change | for consumers | can be taken back | where |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(_what(one))} | {one.compatibility} | "
            f"{'no: ' + one.one_way if one.one_way else 'yes'} | `{one.place}` |"
            for one in product.changes
        ]
        for title, texts in (
            ("Versions", _versions(product)),
            ("Consumers", [_consumer(one) for one in product.consumers]),
            ("Not executed", product.unexecuted),
            ("Refused", product.refusals),
            ("Instead", product.rewrites),
        ):
            if texts:
                lines += ["", f"**{title}**", "", *(f"- {text}" for text in texts)]
        if product.approval:
            lines += ["", f"Approval: `approvals/{product.approval}.yaml`"]
    if plan.rebuild:
        lines += ["", f"Will be rebuilt: {', '.join(f'`{name}`' for name in plan.rebuild)}"]
    if plan.warnings:
        lines += ["", "**Warnings**", "", *(f"- {text}" for text in plan.warnings)]
    return "\n".join(lines)


def as_data(plan: Plan) -> dict[str, Any]:
    """Return the plan as what JSON can say."""
    return {
        "digest": plan.digest,
        "against": plan.against,
        "refused": plan.refused,
        "products": [_product_data(product) for product in plan.products],
        "rebuild": list(plan.rebuild),
        "warnings": list(plan.warnings),
    }


def _product_data(product: ProductPlan) -> dict[str, Any]:
    names = ("port", "before", "after", "required", "given")
    return {
        "product": product.product,
        "state": product.state,
        "changes": [
            {
                "kind": one.kind,
                "what": one.what,
                "where": str(one.where),
                "as_it_was": one.former,
                "port": str(one.port) if one.port else None,
                "columns": list(one.columns),
                "compatibility": one.compatibility.value,
                "required": one.bump.value,
                "reversibility": one.reversibility.value,
                "one_way": one.one_way,
            }
            for one in product.changes
        ],
        "versions": [
            dict(zip(names, map(str, version), strict=True)) for version in product.versions
        ],
        "consumers": [
            {
                "reader": one.reader,
                "product": one.product,
                "reads": str(one.reads),
                "columns": list(one.columns),
                "uses": "uses" if one.certain else "may use",
                "repository": one.origin or None,
            }
            for one in product.consumers
        ],
        "not_executed": list(product.unexecuted),
        "refusals": list(product.refusals),
        "rewrites": list(product.rewrites),
        "approval": product.approval or None,
    }


def _judged(change: Change) -> str:
    return f"{change.compatibility:<8} {change.reversibility:<7}"


def _what(change: Change) -> str:
    prefix = f"{change.port}: " if change.port and str(change.port) not in change.what else ""
    return f"{prefix}{change.what}"


def _versions(product: ProductPlan) -> list[str]:
    return [_version(*version) for version in product.versions]


def _version(port: str, before: str, after: str, required: Bump, given: Bump) -> str:
    short = list(Bump).index(given) > list(Bump).index(required)
    advice = f"; {required} is needed" if short else ""
    return f"{port}: {before} to {after} ({given}{advice})"


def _consumer(one: Consumer) -> str:
    verb = "uses" if one.certain else "may use"
    columns = (
        "" if one.columns == ("*",) else f" {', '.join(c for c in one.columns if c != '*')} of"
    )
    origin = f" (in {one.origin})" if one.origin else ""
    return f"{one.reader}{origin} {'reads' if one.columns == ('*',) else verb}{columns} {one.reads}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
