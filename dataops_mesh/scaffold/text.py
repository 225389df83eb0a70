"""YAML that people go on with: two levels of blocks, short lists in one line, remarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONFIRM = "__to_confirm"
_REMARK = "  # guess"
_WIDTH = 96


def yaml_text(document: Mapping[str, Any], head: str = "") -> str:
    """Write a document as our reader reads it.

    Args:
        document: a text that ends in `CONFIRM` gets a remark that it is a guess.
        head: lines of remarks above it.
    """
    import yaml

    class Writer(yaml.SafeDumper):
        """Indents lists, and writes plain mappings of a few words in one line."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            super().increase_indent(flow, False)

    Writer.add_representer(
        Short,
        lambda dumper, data: dumper.represent_mapping(
            "tag:yaml.org,2002:map", dict(data).items(), flow_style=True
        ),
    )
    made = yaml.dump(
        _plain(document), Dumper=Writer, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    above = "".join(f"# {line}\n" for line in head.splitlines())
    return above + with_remarks(made)


def with_remarks(text: str) -> str:
    """Return YAML with a remark on each line that has a guess."""
    lines = [
        line.replace(CONFIRM, "") + _REMARK if CONFIRM in line else line
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


class Short(dict[str, Any]):
    """A mapping that is written in one line."""


def _plain(value: Any) -> Any:
    """Leave out what says nothing."""
    if isinstance(value, Short):
        return Short({key: _plain(item) for key, item in value.items()})
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item not in (None, "", {}, [])}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
