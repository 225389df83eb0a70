"""What Dagster shows of a product: specs and metadata, all derived from the declaration."""

import re
import warnings
from collections.abc import Iterable, Mapping
from inspect import signature
from pathlib import PurePath
from typing import Any

import dagster as dg

from dataops_mesh.factory.wording import promise
from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.model import Address, Column, InputPort, OutputPort, Product, Severity

PUBLICATION = "mesh/publication"
CANDIDATE = "mesh/candidate"
SEVERITIES = {
    Severity.INFO: dg.AssetCheckSeverity.WARN,
    Severity.WARNING: dg.AssetCheckSeverity.WARN,
    Severity.ERROR: dg.AssetCheckSeverity.ERROR,
}
REFUSES = "The gate refuses the candidate by it: nothing is published."
WARNS = "A failure is a warning, and published all the same."
# Preview, so it may go again.
CHECKS_HAVE_PARTITIONS = "partitions_def" in signature(dg.AssetCheckSpec).parameters
# What Dagster takes for an e-mail is narrower than what people have (`is_valid_email`).
_EMAIL = re.compile(r"\w[\w.%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}", re.ASCII)
_LONGEST_OWNER = 100


def key_of(address: Address) -> dg.AssetKey:
    """Return the asset key of a port: `[domain, port]`; of an inner model, its product between."""
    return dg.AssetKey([address.domain, *address.port.split("/")])


def source_key(product: Product, port: InputPort) -> dg.AssetKey:
    """Return the asset key under which a source is drawn: that of the asset that writes it."""
    if port.source is not None and port.source.asset:
        return dg.AssetKey(port.source.asset.split("/"))
    return dg.AssetKey([product.domain, "source", port.name])


def input_keys(product: Product) -> list[dg.AssetKey]:
    """Return the asset keys of everything the product reads."""
    return [
        key_of(port.address) if port.address else source_key(product, port)
        for port in product.inputs
    ]


def port_spec(
    product: Product, port: OutputPort, code_version: str, **attributes: Any
) -> dg.AssetSpec:
    """Return the asset spec of an output port, with these attributes of Dagster beside ours."""
    return dg.AssetSpec(
        key=key_of(port.address),
        deps=input_keys(product),
        description=port.contract.description or product.description or None,
        metadata={**port_metadata(product, port), **attributes.pop("metadata", {})},
        group_name=product.domain,
        code_version=code_version,
        owners=owners(product),
        tags=tags(product),
        kinds={"dataproduct", product.transform.kind.value, "parquet"},
        skippable=False,
        **attributes,
    )


def source_specs(product: Product) -> list[dg.AssetSpec]:
    """Return external assets for the sources outside the mesh, so that lineage starts there."""
    return [
        dg.AssetSpec(
            key=source_key(product, port),
            group_name=product.domain,
            description=f"A source outside the mesh, fingerprinted at each run: {port.source.path}",
            kinds={"source", port.source.format.value},
        )
        for port in product.inputs
        if port.source and not port.source.asset  # whoever has the asset defines it
    ]


def port_metadata(product: Product, port: OutputPort) -> dict[str, Any]:
    """Return what is known of a port before it is built."""
    contract = port.contract
    return {
        "dagster/column_schema": dg.TableSchema(columns=[_column(c) for c in contract.columns]),
        "dagster/table_name": str(port.address),
        "dagster/storage_kind": "parquet",
        "dagster/code_references": _code_references(product, port),
        "mesh/product": product.qualified_name,
        "mesh/product_version": product.version,
        "mesh/contract": contract.id,
        "mesh/contract_version": contract.version,
        "mesh/status": product.status,
        "mesh/limitations": product.limitations or "none stated",
        "mesh/support": [f"{s.channel} {s.url}" for s in product.support],
    }


def check_specs(
    checks: Iterable[Check], cut: dg.PartitionsDefinition[str] | None = None
) -> list[dg.AssetCheckSpec]:
    """Return the asset checks that show the results of a product's checks.

    Not blocking: the gate refuses by itself, and a blocking check would mark the still good
    published data as failed and hold its consumers. Dagster's UI calls that "non-blocking", so
    the description says who refuses.

    Args:
        checks: what is checked.
        cut: the partitions of their product; each has results of its own.
    """
    parts: dict[str, Any] = {"partitions_def": cut} if cut and CHECKS_HAVE_PARTITIONS else {}
    with warnings.catch_warnings():
        # Preview in Dagster 1.13; without it each result leaves one planned for ever.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [_check_spec(check, parts) for check in checks]


def _check_spec(check: Check, parts: Mapping[str, Any]) -> dg.AssetCheckSpec:
    then = REFUSES if check.severity is Severity.ERROR else WARNS
    return dg.AssetCheckSpec(
        name=check.name,
        asset=key_of(check.port),
        description=f"{promise(check)} {then}",
        metadata={
            "severity": check.severity.value,
            "if it fails": then,
            "dimension": check.dimension or "",
            "declared at": str(check.where),
        },
        **parts,
    )


def owners(product: Product) -> list[str]:
    """Return the team and its owners, in the two forms that Dagster takes."""
    if product.team is None:
        return []
    people = [m.username for m in product.team.members if (m.role or "").lower() == "owner"]
    found = (owner_of(name) for name in (product.team.name, *people))
    return list(dict.fromkeys(name for name in found if name))


def owner_of(name: str) -> str:
    """Return a name as Dagster takes it: an e-mail in its sense, or `team:` and a plain text.

    >>> owner_of("data office"), owner_of("ana@mesh.example"), owner_of("a@b.c"), owner_of(" ")
    ('team:data-office', 'ana@mesh.example', 'team:a-b-c', '')
    """
    if _EMAIL.fullmatch(name):
        return name
    plain = re.sub(r"[^\w-]+", "-", name).strip("-")[:_LONGEST_OWNER]
    return f"team:{plain}" if plain else ""


def tag_value(text: str) -> str:
    """Return a text as a tag's key or value may be written in Dagster.

    >>> tag_value("every day"), len(tag_value("x" * 300))
    ('every-day', 63)
    """
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:63]


def tags(product: Product) -> Mapping[str, str]:
    """Return the product, its status and its own tags as Dagster tags."""
    own = {tag_value(tag.strip()): "" for tag in product.tags if tag.strip()}
    named = {"mesh/product": product.name, "mesh/status": product.status}
    return {**{key: tag_value(value) for key, value in named.items()}, **own}


def _code_references(product: Product, port: OutputPort) -> dg.CodeReferencesMetadataValue:
    """Return links to the files that declare and build the port."""
    files = (
        product.folder / "product.odps.yaml",
        product.folder / PurePath(port.contract.where.file).name,
        *product.transform.files,
    )
    with warnings.catch_warnings():
        # Beta in Dagster 1.13, and the only way to link an asset to its source.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(file), label=file.name) for file in files
            ]
        )


def _column(column: Column) -> dg.TableColumn:
    classification = column.classification or "unclassified"
    nullable = not (column.required or column.key_position is not None)
    return dg.TableColumn(
        name=column.name,
        type=column.physical_type or column.logical_type,
        description=column.description or None,
        constraints=dg.TableColumnConstraints(
            nullable=nullable,
            unique=column.unique,
            other=["primary key"] if column.key_position is not None else [],
        ),
        tags={"classification": classification},
    )
