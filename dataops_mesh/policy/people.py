"""Policies for the people who rely on a product: owner, channel, description, limitations."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.policy.place import at_contract, at_product
from dataops_mesh.spec.model import Product


def _owner(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    team = product.team
    if team is None or not team.name.strip():
        fix = "add `team: {name: ..., members: [{username: ..., role: owner}]}`"
        yield Finding("no team owns the product", at_product(product, "team"), "team", fix)


def _support(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    if not any(support.channel.strip() and support.url.strip() for support in product.support):
        fix = "add `support: [{channel: ..., url: ...}]`"
        where = at_product(product, "support")
        yield Finding("there is no channel to ask for help", where, "support", fix)


def _described(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    if not product.description.strip():
        where = at_product(product, "description")
        fix = "add `description: {purpose: ...}`"
        yield Finding("the product has no description", where, "description.purpose", fix)
    for port in product.outputs:
        if not (port.contract.description or port.description).strip():
            where = at_contract(port.contract, "description")
            fix = "add `description: {purpose: ...}`"
            what = f"{port.address} has no description"
            yield Finding(what, where, "description.purpose", fix)


def _limitations(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    if not product.limitations.strip():
        fix = "add `description: {limitations: ...}`; say so if none are known"
        where = at_product(product, "description")
        yield Finding("no limitation is stated", where, "description.limitations", fix)


def _tests_exist(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    if not around.tested:
        fix = "write tests/test_*.py, or switch the policy off with a reason"
        what = f"nothing tests {product.qualified_name}: the workspace has no folder of tests"
        yield Finding(what, product.where, fix=fix)


def _tested(product: Product, _options: Options, around: Surroundings) -> Iterator[Finding]:
    if product.qualified_name not in around.examples:
        fix = "add rows: examples/<name>/given/ and expected/, then `mesh test`"
        yield Finding(f"no example tests {product.qualified_name}", product.where, fix=fix)


PEOPLE = (
    Policy("owner", "somebody answers for what is published", _owner),
    Policy("support_channel", "consumers need somewhere to ask", _support),
    Policy("description", "a product nobody understands is not used, or is misused", _described),
    Policy("limitations", "consumers must know what the data cannot do", _limitations),
    Policy("tests_exist", "code without tests is not merged", _tests_exist, keeps_severity=True),
    Policy("tested", "a few rows show what the transform is meant to do", _tested, off=True),
)
