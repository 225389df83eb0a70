"""What many commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_mesh.cli.output import Format


def _key(text: str | None) -> str | None:
    """Refuse the key of no partition: without one, a command is about the whole product."""
    if text is not None and not text.strip():
        raise typer.BadParameter("names no partition; leave it out for the whole product")
    return text


def _keys(texts: list[str] | None) -> list[str] | None:
    for text in texts or ():
        _key(text)
    return list(dict.fromkeys(texts)) if texts else texts


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PRODUCT|DOMAIN]...", help="domain.product or domain; all if absent"),
]
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="domain.product")]
Partition = Annotated[str | None, typer.Option(help="only this partition", callback=_key)]
Partitions = Annotated[
    list[str] | None, typer.Option(help="only this partition; may be repeated", callback=_keys)
]
Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]


def _enter(name: str | None) -> str | None:
    """Enter the sandbox, before the command looks at anything."""
    if name is not None:
        from dataops_mesh.cli.sandbox.entering import enter

        enter(name)
    return name


Sandbox = Annotated[
    str | None,
    typer.Option("--sandbox", help="in this sandbox; production if absent", callback=_enter),
]


def _said(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("say why, in a few words: it is for the record")
    return text.strip()


Reason = Annotated[str, typer.Option(help="why, for the record", callback=_said)]
