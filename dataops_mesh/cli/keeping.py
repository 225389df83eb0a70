"""`mesh store verify`, `gc`, `upgrade` and `catalog`: commands that look after the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.cli.output import REFUSED, Format, say, show
from dataops_mesh.cli.workspace import open_readable, say_unreadable
from dataops_mesh.store.collect import Collected, Item

if TYPE_CHECKING:
    from dataops_mesh.run.environment import Environment

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def collect_garbage(output: Format, *, delete: bool) -> int:
    """Show what nobody can reach any more and why the rest stays; delete it if asked to."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.watch.collection import collect_store

    settings, mesh = open_readable()
    say_unreadable(mesh)
    environment = open_environment(settings)
    _end_leases(environment, delete=delete)
    found, notes = collect_store(environment, mesh.products, dry_run=not delete)
    for note in notes:
        say(f"note: {note}")
    if delete:
        _finish_removals(environment)
    for item in found.stuck:
        say(f"not deleted: {item.name}: {item.why}")
    rows = [*_rows("candidate", found.gone), *_rows("leftover", found.litter)]
    rows += _rows("capture", found.captures)
    if output is Format.JSON:
        releases = [
            {"kind": "release", "name": str(number), "bytes": 0, "action": "delete", "why": ""}
            for number in found.releases
        ]
        kept = [{**row, "action": "keep"} for row in _rows("candidate", found.kept)]
        show([*releases, *rows, *kept], output, columns=())
        return REFUSED if notes or found.stuck else 0
    show(rows, output, columns=("kind", "name", "bytes"), empty="nothing to delete")
    _say_kept(found, deleted=delete)
    return REFUSED if notes or found.stuck else 0


def _end_leases(environment: Environment, *, delete: bool) -> None:
    """Take down the sandboxes whose leases are over, and warn of those that end soon."""
    from datetime import UTC, datetime

    from dataops_mesh.run.identity import person_or_user
    from dataops_mesh.sandbox.known import all_sandboxes
    from dataops_mesh.store.line.opening import end_leases

    now = datetime.now(UTC)
    for one in all_sandboxes(environment):
        until = f"{one.lease:%Y-%m-%d %H:%M} UTC"
        if one.is_over(now):
            will = "is taken down" if delete else "would be taken down"
            say(f"sandbox {one.name} of {one.person} {will}: its lease was over at {until}")
        elif one.ends_soon(now):
            say(
                f"sandbox {one.name} of {one.person} ends at {until}: mesh sandbox renew {one.name}"
            )
    if delete:
        end_leases(environment.store, person_or_user(environment.settings.person), now)


def _finish_removals(environment: Environment) -> None:
    """Delete what was erased by a person's word and is still, or again, on the disk."""
    from dataops_mesh.factory.forgetting import forget_in
    from dataops_mesh.run.word.erase import finish_removals

    for line in finish_removals(environment, forget_in(environment.settings)):
        say(line)


def verify_store(output: Format, *, everything: bool, repair: bool) -> int:
    """Compare the store with its checksums; exit 1 if anything is damaged and was not mended."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import Environment, on_line, open_environment
    from dataops_mesh.run.record import record_run
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.line.known import sandboxes
    from dataops_mesh.watch.health import examine
    from dataops_mesh.watch.repair import repair as mend

    settings = load_settings()
    environment = open_environment(settings)
    tried = [Environment(one, on_line(settings, one.line)) for one in sandboxes(environment.store)]
    wrong = _in_sandboxes(tried, repair=repair)
    found = examine(environment.store, everything=everything)
    if repair and found.damage:
        names = [f"{item.kind} {item.name}" for item in found.damage]
        record_operation(environment, "repair", names, what=[item.what for item in found.damage])
        for line in mend(environment, found.damage):
            say(line)
        record_run(environment)
        found = examine(environment.store, everything=everything)
    rows = [*(asdict(item) for item in found.damage), *wrong]
    show(rows, output, columns=("kind", "name", "what", "next"))
    gone = f" ({found.removed} erased)" if found.removed else ""
    looked = f"{found.releases} releases, {found.candidates} candidates{gone}"
    said = f"{looked}, {size_of(found.bytes)} read"
    say(f"{said}; {len(rows)} damaged" if rows else f"{said}; all as recorded")
    return REFUSED if rows else 0


def _in_sandboxes(tried: Iterable[Environment], *, repair: bool) -> list[dict[str, Any]]:
    """Return what is damaged in sandboxes, and was not mended."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.store.line.known import is_closed
    from dataops_mesh.watch.health import examine_sandbox
    from dataops_mesh.watch.repair import repair as mend

    rows = []
    for environment in tried:
        store = environment.store
        if is_closed(store):
            continue
        damage = examine_sandbox(store).damage
        if repair and damage:
            names = [f"{item.kind} {item.name} of {store.line}" for item in damage]
            record_operation(environment.production, "repair", names)
            for line in mend(environment, damage):
                say(f"{store.sandbox}: {line}")
            damage = examine_sandbox(store).damage
        rows += [asdict(one) | {"name": f"{store.sandbox} {one.name}"} for one in damage]
    return rows


def upgrade_store() -> int:
    """Bring the store to this version's format."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.upgrade.upgrade import upgrade

    settings = load_settings()
    number = upgrade(settings.store_folder)
    if number < 0:
        say(f"{settings.store_folder} has this version's format already")
        return 0
    record_operation(open_environment(settings), "upgrade", [str(settings.store_folder)])
    say(f"{settings.store_folder}: upgraded at release {number}; older versions are told so")
    return 0


def back_up_store(target: Path) -> int:
    """Copy the store elsewhere."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.backup import backup

    environment = open_environment(load_settings())
    record_operation(environment, "backup", [str(target)])
    found = backup(environment.store, target)
    say(f"{target}: release {found.release}; new: {found.files} files, {size_of(found.bytes)}")
    for ref in found.gone:
        say(f"deleted there, as it was erased: {ref}")
    if (apart := environment.store.restricted) and apart.is_dir():
        say(f"note: clear values that roles read are not in it: copy {apart} to where few may read")
    return 0


def restore_store(source: Path) -> int:
    """Make the store from a copy."""
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.store.backup import restore
    from dataops_mesh.store.verify import lost

    settings = load_settings()
    found = restore(source, settings.store_folder)
    environment = open_environment(settings)
    record_operation(environment, "restore", [str(source)])
    _finish_removals(environment)
    say(f"{settings.store_folder}: release {found.release}, {size_of(found.bytes)}")
    for product, why in lost(environment.store).items():
        say(f"note: roles cannot read {product} unmasked until it runs again: {why}")
    return 0


def rebuild_catalogs() -> int:
    """Write `catalogs/<domain>.duckdb` again from the log, as after a store was moved."""
    from dataops_mesh.engine.catalog.catalogs import rebuild
    from dataops_mesh.run.account import record_operation
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings

    environment = open_environment(load_settings())
    store = environment.store
    record_operation(environment, "catalog", [store.catalogs.name])
    say(f"{store.catalogs}: release {rebuild(store)}")
    return 0


def _rows(kind: str, items: Iterable[Item]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "name": i.name, "bytes": i.bytes, "action": "delete", "why": i.why}
        for i in items
    ]


def _say_kept(found: Collected, *, deleted: bool) -> None:
    """Tell people how much goes and, by reason, what stays."""
    gone = [*found.gone, *found.litter]
    did = "deleted" if deleted else "to delete"
    say(f"\n{did}: {len(gone)}, {size_of(found.bytes)}; releases: {len(found.releases)}")
    for why, count in _by_reason(found.kept).items():
        size = size_of(sum(item.bytes for item in found.kept if _reason(item) == why))
        say(f"kept: {count}, {size}: {why}")
    if gone and not deleted:
        say("\nnothing was deleted; `mesh store gc --yes` does it")


def _by_reason(items: Iterable[Item]) -> dict[str, int]:
    return dict(Counter(_reason(item) for item in items).most_common())


def _reason(item: Item) -> str:
    """Return the reason without the number of the publication or release."""
    return " ".join(word for word in item.why.split() if not word.isdigit())


def size_of(count: int) -> str:
    """Return a size in the unit that people would choose.

    >>> size_of(1_234_567)
    '1.2 MB'
    """
    value = float(count)
    for unit in _UNITS:
        if value < _THOUSAND or unit == _UNITS[-1]:
            return f"{value:,.0f} {unit}" if unit == _UNITS[0] else f"{value:,.1f} {unit}"
        value /= _THOUSAND
    raise AssertionError
