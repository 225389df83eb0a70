"""What many commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_mesh.cli.output import Format

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PRODUCT|DOMAIN]...", help="domain.product or domain; all if absent"),
]
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="domain.product")]
Output = Annotated[Format, typer.Option("--format", help="for people or for machines")]


def _said(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("say why, in a few words: it is for the record")
    return text.strip()


Reason = Annotated[str, typer.Option(help="why, for the record", callback=_said)]
