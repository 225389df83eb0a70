"""`load_domain`: a folder of declarations becomes a Dagster code location."""

from dataclasses import replace
from pathlib import Path

import dagster as dg

from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.factory.assets import product_asset
from dataops_mesh.factory.automation import automation_sensor
from dataops_mesh.factory.describe import source_specs
from dataops_mesh.factory.freshness import unexpected
from dataops_mesh.factory.register import register_at_load
from dataops_mesh.factory.watch import alert_sensor, monitor_schedule, verify_schedule
from dataops_mesh.policy.judge import judge
from dataops_mesh.run.flow import flows_in
from dataops_mesh.run.lineage import Known
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import load_domain as load_declarations
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Domain, InputPort, Mesh, Product
from dataops_mesh.spec.read.product import PRODUCT_FILE
from dataops_mesh.transform.dbt_project import is_dbt
from dataops_mesh.transform.validate import transform_problems

RUNNABLE = frozenset({"active", "deprecated"})


def load_domain(definitions_file: str | Path) -> dg.Definitions:
    """Return a domain's Dagster definitions: assets, checks and one job.

    Args:
        definitions_file: `__file__` of the domain's `definitions.py`, or the domain's folder.

    Raises:
        DeclarationError: all problems of all products, with file and line; also what policies
            of severity error refuse.
        SettingsError: the workspace's settings are not valid.
    """
    path = Path(definitions_file).resolve()
    folder = path if path.is_dir() else path.parent
    return definitions_of(load_declarations(folder), load_settings(folder))


def load_product(folder: str | Path) -> dg.Definitions:
    """Return the Dagster definitions of one product, to stand beside assets of your own.

    Args:
        folder: the product's folder, or a file in it. The rest of its domain is read too: what is
            wrong between its products is wrong here.

    Raises:
        DeclarationError: all problems, with file and line; also what policies refuse.
        SettingsError: the workspace's settings are not valid.
    """
    path = Path(folder).resolve()
    path = path.parent if path.is_file() else path
    if not (path / PRODUCT_FILE).is_file():
        what = f"{path} is no product's folder: it has no {PRODUCT_FILE}"
        raise DeclarationError(Problem(what, next="name domains/<domain>/<product>"))
    settings = load_settings(path)
    domain = load_declarations(path.parent)
    return definitions_of(domain, settings, only=path.name)


def definitions_of(domain: Domain, settings: Settings, *, only: str = "") -> dg.Definitions:
    """Return the Dagster definitions of what was read of a domain.

    Args:
        domain: as it was read, the whole of it.
        settings: of the workspace.
        only: the one product whose definitions these are; all if empty.

    Raises:
        DeclarationError: what is wrong between its products, or what policies refuse.
    """
    problems = list(check_mesh(_alone(domain)))
    problems += [p for product in domain.products for p in transform_problems(product)]
    known, own = Known(domain.products), Mesh(domain.folder.parent, (domain,))
    flows = flows_in(own, settings, known)
    problems += judge(own, settings, whole=False, flows=flows).refusals
    if problems:
        raise DeclarationError(problems)
    if settings.automation:
        register_at_load(domain, settings, known)
    name = f"{domain.name}__{only}" if only else domain.name
    mine = [product for product in domain.products if only in {"", product.name}]
    products = [product for product in mine if product.status != "retired"]
    rests = unexpected(products, settings)
    assets = [
        product_asset(product, settings, known, expected=product.qualified_name not in rests)
        for product in products
    ]
    sources = {spec.key: spec for product in products for spec in source_specs(product)}
    exposures = {spec.key: spec for product in products for spec in _exposures(product, settings)}
    return dg.Definitions(
        assets=[*assets, *sources.values(), *exposures.values()],
        jobs=[_job(f"{name}_job" if only else name, assets, products)] if products else [],
        sensors=_sensors(name, domain, assets, products, settings),
        schedules=_schedules(name, _runnable(products), settings),
        executor=None if only else dg.in_process_executor,  # that of the team's own definitions
        metadata={"mesh/domain": domain.name},
    )


def _exposures(product: Product, settings: Settings) -> list[dg.AssetSpec]:
    if not is_dbt(product):
        return []
    from dataops_mesh.factory.dbt import exposure_specs

    return exposure_specs(product, settings)


def _alone(domain: Domain) -> Mesh:
    """Return a mesh of this domain only, without what it reads of others.

    A location must not fail to load because of another team's mistake; `mesh check` sees both.
    """
    products = tuple(
        replace(product, inputs=tuple(p for p in product.inputs if _is_own(domain, p)))
        for product in domain.products
    )
    return Mesh(domain.folder.parent, (replace(domain, products=products),))


def _is_own(domain: Domain, port: InputPort) -> bool:
    return port.address is not None and port.address.domain == domain.name


def _sensors(
    name: str,
    domain: Domain,
    assets: list[dg.AssetsDefinition],
    products: list[Product],
    settings: Settings,
) -> list[dg.SensorDefinition]:
    """Return the domain's sensors; one ends what has ended, also where nothing runs any more."""
    pairs = zip(products, assets, strict=True)
    runnable = [asset for product, asset in pairs if product.status in RUNNABLE]
    # Of a retired product services are told that it was withdrawn, and its owner who reads it.
    known = domain.products if name == domain.name else tuple(products)
    watched = [product for product in known if product.status in {*RUNNABLE, "retired"}]
    alerts = alert_sensor(domain, watched, settings, name)
    return [automation_sensor(name, runnable, settings), alerts] if runnable else [alerts]


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
