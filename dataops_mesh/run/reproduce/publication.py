"""`mesh run PRODUCT --reproduce N`: build a publication again, and compare; nothing else changes.

It is built as a run builds it: by the gate, transforms confined, masks applied before anything is
compared. But it is pinned to what the candidate read, its clock and its code; and nothing of it is
published, recorded or kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.engine.difference import row_difference
from dataops_mesh.engine.session import seal
from dataops_mesh.errors import MeshError, Problem, RunError, UnknownNameError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.build import build_candidate
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.classes import plain_of
from dataops_mesh.run.guards.forms import together
from dataops_mesh.run.guards.masks import mask_candidate, secret_reasons
from dataops_mesh.run.guards.roles import opened_to, role_reasons
from dataops_mesh.run.guards.visible import invisible_reasons
from dataops_mesh.run.inputs.bind import bind_inputs
from dataops_mesh.run.partition import chosen
from dataops_mesh.run.reproduce.code import code_of
from dataops_mesh.run.reproduce.inputs import gone_inputs, inputs_then, put_back
from dataops_mesh.run.reproduce.told import PortCompared, Reproduction
from dataops_mesh.run.session import attempt_session
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.model import Product
from dataops_mesh.store import files, restricted
from dataops_mesh.store.described import PortData
from dataops_mesh.store.log import Entry, Release, latest
from dataops_mesh.store.manifest import Manifest, folder, new_ref, read_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.tree.past import PastPorts
from dataops_mesh.transform.redact import interruption, safe_message
from dataops_mesh.transform.told import as_told

Progress = Callable[[str], None]


def reproduce(
    product: Product,
    environment: Environment,
    number: int,
    *,
    partition: str | None = None,
    progress: Progress = lambda _: None,
) -> tuple[Reproduction, ...]:
    """Build a publication again from what is kept, and say whether the same rows come of it.

    Args:
        product: as it is declared today.
        environment: the store and the settings.
        number: of the publication.
        partition: of a product in partitions, which one of that release; those that it switched
            if absent.
        progress: told one line per stage.

    Raises:
        UnknownNameError: the product was not published by that number.
        TransformError: the transform raised.
    """
    with pinned(environment.store, number) as release:
        found = _candidates(product, release, number, partition)
        return tuple(_one(product, environment, number, ref, progress) for ref in found)


def _candidates(
    product: Product, release: Release, number: int, partition: str | None
) -> tuple[str, ...]:
    """Return the candidates behind a publication."""
    address = product.outputs[0].address
    ports = release.ports
    entry = ports.some(address) if isinstance(ports, PastPorts) else ports.get(address)
    then = f"mesh show {product.qualified_name} --history"
    if entry is None:
        what = f"nothing of {product.qualified_name} is kept of release {number}"
        raise UnknownNameError(Problem(what, next=then))
    if not entry.parts and entry.publication == number:
        return (entry.candidate,)
    parts = entry.parts
    if partition is not None:
        found = [part.candidate for part in parts if part.key == partition]
    else:
        found = [part.candidate for part in parts if part.publication == number]
    if not found:
        what = f"{product.qualified_name} was not published by {number}"
        raise UnknownNameError(Problem(what, choices=_known(entry), next=then))
    return tuple(found)


def _known(entry: Entry) -> tuple[str, ...]:
    numbers = {part.publication for part in entry.parts} or {entry.publication}
    return tuple(str(number) for number in sorted(numbers)[-10:])


def _one(
    product: Product, environment: Environment, number: int, ref: str, progress: Progress
) -> Reproduction:
    """Build one candidate again, or say what is gone."""
    store, root = environment.store, environment.settings.root
    manifest = read_manifest(store, ref)
    told = Reproduction(product.qualified_name, number, ref, manifest.partition)
    if manifest.removed:
        return replace(told, gone=("it was erased",))
    if manifest.subset:
        return replace(told, gone=(f"it was built from {manifest.subset} of the rows",))
    with ExitStack() as stack:
        # Not in the store, whose folder no code of a domain may see.
        code_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mesh-")))
        code = code_of(product, manifest, root, code_folder)
        if code.product is None:
            return replace(told, gone=(code.gone,))
        told = replace(told, code=code.told)
        scratch = stack.enter_context(scratch_folder(store))
        then, gone = put_back(store, code.product, manifest, scratch / "sources")
        base = _base(stack, environment, manifest)
        if base is None:
            return replace(told, gone=(*gone, f"{manifest.line}, where it was built, is gone"))
        now = latest(store)
        may = (
            *secret_reasons(then, environment.settings),
            *role_reasons(then, environment, now),
            *invisible_reasons(then, environment, now),
        )
        gone = (*gone, *gone_inputs(then, manifest, base), *may)
        if gone:
            return replace(told, gone=gone)
        settings = environment.settings.model_copy(update={"now": manifest.now})
        again = Environment(store, settings)
        started = datetime.now(UTC)
        own = new_ref(product.domain, product.name, started)
        inputs = inputs_then(then, manifest, base)
        inputs = replace(inputs, opened=opened_to(then, store, base))
        piece = chosen(then, manifest.partition or None, manifest.now)
        attempt = Attempt(then, again, "reproduce", own, started, inputs, (), piece)
        stack.enter_context(building(store, own))
        stack.callback(_forget, attempt)
        progress(f"building {ref} again by {code.told}")
        ports = _compared(attempt, manifest, scratch / "build")
        return replace(told, ports=tuple(ports))


def _base(stack: ExitStack, environment: Environment, manifest: Manifest) -> Release | None:
    """Return the release that the candidate read; None if its line is gone."""
    store = environment.store
    if not any(read.address for read in manifest.inputs):
        return stack.enter_context(pinned(store))
    try:
        return stack.enter_context(pinned(store.on(manifest.line), manifest.base))
    except UnknownNameError:
        return None


def _compared(attempt: Attempt, manifest: Manifest, scratch: Path) -> Iterator[PortCompared]:
    """Build, mask, and compare each port with what was published."""
    built = _built(attempt, scratch)
    clear = {port.address: port.fingerprint for port in built.ports}
    masked = mask_candidate(built, ())
    store = attempt.environment.store
    with attempt_session(attempt) as connection:
        seal(connection, [attempt.folder, folder(store, manifest.candidate)])
        for port in masked.ports:
            before = manifest.port(port.address)
            if before is None:
                continue
            mark = port.fingerprint
            if manifest.kept(port.address) is not None:  # that of both forms, with a key
                mark = together(store, manifest, before, mark, clear[port.address])
            one = PortCompared(port.address, before.rows, port.rows, identical=True)
            if (before.rows, before.fingerprint) == (port.rows, mark):
                yield one
                continue
            contract = next(
                p.contract for p in attempt.product.outputs if p.address == port.address
            )
            old, new = (
                _scan(store_folder, data)
                for store_folder, data in (
                    (folder(store, manifest.candidate), before),
                    (attempt.folder, port),
                )
            )
            found = row_difference(connection, (old, new), contract.key, ())
            yield replace(
                one,
                identical=False,
                added=found.added,
                removed=found.removed,
                changed=found.changed,
                schema=found.schema,
            )


def _built(attempt: Attempt, scratch: Path) -> Attempt:
    """Run the transform, and tell what it raises without a value of the data."""
    failure: MeshError | None = None
    store, product = attempt.environment.store, attempt.product
    if is_private(product):
        files.shut(attempt.folder)
    try:
        files.make_folder(scratch)
        with attempt_session(attempt) as connection:
            bind_inputs(connection, store, product, attempt.inputs, attempt.key)
            built = build_candidate(attempt, connection, scratch)
        return replace(attempt, ports=built.ports, quarantines=built.quarantines)
    except Exception as error:  # noqa: BLE001 - told to people as a MeshError
        if (stopped := interruption(error)) is not None:
            raise stopped from None
        if isinstance(error, MeshError):
            failure = type(error)(error.problems)
        else:
            failed = [Problem(f"the run failed: {safe_message(error)}", product.where)]
            code = product.transform.files[0]
            failure = RunError(as_told(failed, product, code, plain_of(attempt)))
    raise failure


def _scan(place: Path, data: PortData) -> str:
    return sql.scan("read_parquet", [place / file.path for file in data.files])


def _forget(attempt: Attempt) -> None:
    """Delete all of what was built: nobody publishes it, and it has no evidence."""
    restricted.remove(attempt.environment.store, attempt.ref)
    files.remove_tree(attempt.folder)
