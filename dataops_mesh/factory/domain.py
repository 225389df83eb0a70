"""`load_domain`: a folder of declarations becomes a Dagster code location."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.factory.assets import product_asset
from dataops_mesh.factory.automation import automation_sensor
from dataops_mesh.factory.describe import source_specs
from dataops_mesh.factory.exports import exports_sensor
from dataops_mesh.factory.freshness import unexpected
from dataops_mesh.factory.register import register_at_load
from dataops_mesh.factory.standing import Standing, fault_specs, standing, tell
from dataops_mesh.factory.watch import alert_sensor, monitor_schedule, verify_schedule
from dataops_mesh.run.kept import kept_in
from dataops_mesh.run.lineage import Known
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.kept.kept import Kept
from dataops_mesh.spec.loader import Broken, read_domain
from dataops_mesh.spec.model import Domain, Product
from dataops_mesh.spec.read.product import PRODUCT_FILE
from dataops_mesh.transform.dbt.project import is_dbt
from dataops_mesh.transform.walls import walls_of
from dataops_mesh.watch.copies import has_exports

RUNNABLE = frozenset({"active", "deprecated"})


def load_domain(definitions_file: str | Path) -> dg.Definitions:
    """Return a domain's Dagster definitions: assets, checks and one job.

    Args:
        definitions_file: `__file__` of the domain's `definitions.py`, or the domain's folder.

    Returns:
        What can be loaded. A product that cannot, or that a policy refuses, is an asset that
        nobody can run and that says why; the log says it too.

    Raises:
        DeclarationError: with file and line, what is wrong where no product is left, or where it
            is the fault of none: the policies' file, the domain's folder.
        SettingsError: the workspace's settings are not valid.
    """
    path = Path(definitions_file).resolve()
    folder = path if path.is_dir() else path.parent
    settings = load_settings(folder)
    kept = kept_in(settings, folder)
    with _all_of_it_stays():
        domain, broken = read_domain(folder, settings.root, kept.load)
        return definitions_of(domain, settings, broken, kept=kept)


def load_product(folder: str | Path) -> dg.Definitions:
    """Return the Dagster definitions of one product, to stand beside assets of your own.

    Args:
        folder: the product's folder, or a file in it. The rest of its domain is read too: what is
            wrong between its products is wrong here.

    Raises:
        DeclarationError: all problems of the product, with file and line; also what policies
            refuse.
        SettingsError: the workspace's settings are not valid.
    """
    path = Path(folder).resolve()
    path = path.parent if path.is_file() else path
    if not (path / PRODUCT_FILE).is_file():
        what = f"{path} is no product's folder: it has no {PRODUCT_FILE}"
        raise DeclarationError(Problem(what, next="name domains/<domain>/<product>"))
    settings = load_settings(path)
    kept = kept_in(settings, path.parent)
    with _all_of_it_stays():
        domain, broken = read_domain(path.parent, settings.root, kept.load)
        return definitions_of(domain, settings, broken, only=path.name, kept=kept)


@contextmanager
def _all_of_it_stays() -> Iterator[None]:
    """Let nothing look for garbage meanwhile: of what is made there is none, and looking is dear.

    A quarter of the time in which a thousand products load went into it. What a code location's
    process loads first is not looked at later either; who loads often has it looked at.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        if not gc.get_freeze_count():
            gc.freeze()
    finally:
        gc.enable()


def definitions_of(
    domain: Domain,
    settings: Settings,
    broken: Broken | None = None,
    *,
    only: str = "",
    kept: Kept | None = None,
) -> dg.Definitions:
    """Return the Dagster definitions of what was read of a domain.

    Args:
        domain: as it was read, the whole of it.
        settings: of the workspace.
        broken: what is wrong with its declarations that could not be read.
        only: the one product whose definitions these are; all if empty.
        kept: what was parsed before, and what was asked of it.

    Raises:
        DeclarationError: nothing of it can be loaded, or not the one product.
    """
    known = Known(domain.products, kept.load) if kept else Known(domain.products)
    stands = standing(domain, broken or {}, settings, known, kept)
    if kept is not None:
        kept.close()
    if f"{domain.name}.{only}" in stands.faults:
        raise DeclarationError(stands.faults[f"{domain.name}.{only}"])
    tell(stands.faults)
    domain = stands.domain
    if settings.automation and stands.whole and not settings.sandbox:
        register_at_load(domain, settings, known)
    name = f"{domain.name}__{only}" if only else domain.name
    mine = [product for product in domain.products if only in {"", product.name}]
    products = [product for product in mine if product.status != "retired"]
    rests, walls = unexpected(products, settings), walls_of(settings)
    assets = [
        product_asset(
            product, settings, known, walls=walls, expected=product.qualified_name not in rests
        )
        for product in products
    ]
    sources = {spec.key: spec for product in products for spec in source_specs(product)}
    exposures = _exposures(products, settings)
    taken = {key for asset in assets for key in asset.keys} | sources.keys() | exposures.keys()
    faults = [] if only else fault_specs(stands.faults, taken)
    return dg.Definitions(
        assets=[*assets, *sources.values(), *exposures.values(), *faults],
        jobs=[_job(f"{name}_job" if only else name, assets, products)] if products else [],
        sensors=_sensors(name, stands, assets, products, settings),
        schedules=_schedules(name, _runnable(products), settings),
        executor=None if only else dg.in_process_executor,  # that of the team's own definitions
        metadata={"mesh/domain": domain.name},
    )


def _exposures(products: Iterable[Product], settings: Settings) -> dict[dg.AssetKey, dg.AssetSpec]:
    """Return what reads ports outside the mesh; of two products of a project, it may read both."""
    found: dict[dg.AssetKey, dg.AssetSpec] = {}
    for product in products:
        if not is_dbt(product):
            continue
        from dataops_mesh.factory.dbt import exposure_specs

        for spec in exposure_specs(product, settings):
            known = found.get(spec.key, spec)
            deps = {dep.asset_key: dep for dep in (*known.deps, *spec.deps)}
            found[spec.key] = known.replace_attributes(deps=[*deps.values()])
    return found


def _sensors(
    name: str,
    stands: Standing,
    assets: list[dg.AssetsDefinition],
    products: list[Product],
    settings: Settings,
) -> list[dg.SensorDefinition]:
    """Return the domain's sensors; one ends what has ended, also where nothing runs any more."""
    pairs = zip(products, assets, strict=True)
    running = [(product, asset) for product, asset in pairs if product.status in RUNNABLE]
    # Of a retired product services are told that it was withdrawn, and its owner who reads it.
    domain = stands.domain
    known = domain.products if name == domain.name else tuple(products)
    watched = [product for product in known if product.status in {*RUNNABLE, "retired"}]
    # What is tried in a sandbox is nobody's incident and no event.
    alerts = [] if settings.sandbox else [alert_sensor(stands, watched, settings, name)]
    if not settings.sandbox and has_exports(watched):
        alerts.append(exports_sensor(name, watched, settings))
    if not running:
        return alerts
    runnable, theirs = zip(*running, strict=True)
    return [automation_sensor(name, domain, runnable, theirs, settings), *alerts]


def _schedules(
    name: str, products: list[Product], settings: Settings
) -> list[dg.ScheduleDefinition]:
    """Return when what the domain has published is looked at again."""
    made = (monitor_schedule, verify_schedule)
    return [make(name, products, settings) for make in made] if products else []


def _runnable(products: list[Product]) -> list[Product]:
    return [product for product in products if product.status in RUNNABLE]


def _job(
    name: str, assets: list[dg.AssetsDefinition], products: list[Product]
) -> "dg.UnresolvedAssetJobDefinition":
    """Return the one job of the domain: every active product. Never a job per product."""
    pairs = zip(products, assets, strict=True)
    runnable = [asset for product, asset in pairs if product.status in RUNNABLE]
    return dg.define_asset_job(
        name=name,
        selection=dg.AssetSelection.assets(*runnable),
        description=f"Build, check and publish every active product of {name}.",
        executor_def=dg.in_process_executor,
    )
