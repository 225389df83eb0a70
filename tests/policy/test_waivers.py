"""Waivers: they cover one rule of one product until a day, and every other waiver is a mistake."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from policy_cases import FILES, PRODUCT, TODAY, replaced, verdict, write

from dataops_mesh.errors import DeclarationError
from dataops_mesh.policy.notes import notes_of

NO_TEAM = replaced(
    PRODUCT, "team: {name: shop, members: [{username: ana@mesh.example, role: owner}]}\n", ""
)
STRICT = {FILES["product"]: NO_TEAM, "policies.yaml": "default: error\n"}


def waiver(rule="owner", product="shop.orders", until="2026-12-31", who="bo", why="a merger"):
    named = f", product: {product}" if product else ""
    return f"  - {{rule: {rule}{named}, who: {who}, why: {why}, until: {until}}}\n"


def judged(tmp_path, *waivers: str, today=TODAY, where="waivers.yaml"):
    text = "waivers:\n" + "".join(waivers)
    return verdict(write(tmp_path, {**STRICT, where: text}), today)


def test_a_waiver_covers_its_rule_and_product(tmp_path):
    found = judged(tmp_path, waiver())
    assert found.refusals == ()
    ((violation, used),) = found.waived
    assert (violation.rule, violation.product, used.who, used.why) == (
        "owner", "shop.orders", "bo", "a merger",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "product"), [("support_channel", "shop.orders"), ("owner", "desk.tickets")]
)
def test_a_waiver_covers_nothing_else_and_says_so(tmp_path, rule, product):
    found = judged(tmp_path, waiver(rule, product))
    assert [v.rule for v in found.violations] == ["owner"]
    assert [w.rule for w in found.unused] == [rule]
    assert any("covers nothing any more" in problem.what for _, problem in notes_of(found))


@pytest.mark.parametrize(
    ("day", "refused", "expiring"),
    [
        (date(2026, 12, 1) - timedelta(days=1), False, False),
        (date(2026, 12, 1), False, True),  # thirty days before
        (date(2026, 12, 31), False, True),  # the last day still counts
        (date(2027, 1, 1), True, False),
    ],
)
def test_a_waiver_ends_after_its_last_day(tmp_path, day, refused, expiring):
    found = judged(tmp_path, waiver(), today=day)
    assert bool(found.refusals) is refused
    assert bool(found.expiring) is expiring
    assert any("ends on 2026-12-31" in p.what for _, p in notes_of(found)) is expiring


def test_an_expired_waiver_is_an_error_even_of_a_rule_that_only_warns(tmp_path):
    files = {
        FILES["product"]: NO_TEAM,
        "waivers.yaml": "waivers:\n" + waiver(until="2026-10-31"),
    }
    (problem,) = verdict(write(tmp_path, files)).refusals
    assert "expired on 2026-10-31" in problem.what
    assert str(problem.where) == "waivers.yaml:2"
    assert "bo" in problem.next


@pytest.mark.parametrize(
    ("rule", "product", "says"),
    [
        ("ownr", "shop.orders", 'there is no policy "ownr" (did you mean "owner"?)'),
        ("owner", "shop.ordrs", 'there is no product "shop.ordrs" (did you mean "shop.orders"?)'),
        ("cycles", "shop.orders", "cycles cannot be waived"),
    ],
)
def test_a_waiver_of_something_unknown_is_an_error(tmp_path, rule, product, says):
    found = judged(tmp_path, waiver(), waiver(rule, product))
    assert [p.what for p in found.refusals if p.what.startswith(says)]
    assert {str(p.where) for p in found.refusals} == {"waivers.yaml:3"}


def test_a_waiver_in_the_folder_of_the_product_need_not_name_it(tmp_path):
    found = judged(tmp_path, waiver(product=None), where="domains/shop/orders/waivers.yaml")
    assert found.refusals == ()
    assert len(found.waived) == 1


def test_a_domain_cannot_waive_for_another(tmp_path):
    with pytest.raises(DeclarationError, match=r"can only be for desk.tickets"):
        judged(tmp_path, waiver(), where="domains/desk/tickets/waivers.yaml")


BROKEN = [
    ("waivers:\n" + waiver(product=None), 2, "needs a product"),
    ("waivers:\n" + waiver(until="soon"), 2, "does not match"),
    ("waivers:\n" + waiver(until="2026-02-30"), 2, "is not a day"),
    (
        "waivers:\n  - {rule: owner, product: shop.orders, why: x, until: 2026-12-31}\n",
        2,
        "missing",
    ),
    ("waivers:\n" + waiver(who="''"), 2, "needs at least 1"),
    ("waivrs: []\n", 1, "unknown key"),
    ("waivers: {}\n", 1, "must be a list"),
    ("waivers: [\n", 2, "is not YAML"),
]


@pytest.mark.parametrize(("text", "line", "says"), BROKEN)
def test_a_mistake_in_a_waiver_is_found_and_placed(tmp_path, text, line, says):
    root = write(tmp_path, {**STRICT, "waivers.yaml": text})
    with pytest.raises(DeclarationError) as raised:
        verdict(root)
    assert [p for p in raised.value.problems if says in p.what and p.where.line == line]
    assert {p.where.file for p in raised.value.problems} == {"waivers.yaml"}
