"""YAML that people go on with: two levels of blocks, short lists in one line, remarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONFIRM = "__to_confirm"
_REMARK = "  # guess"
_WIDTH = 96


def yaml_text(document: Mapping[str, Any], head: str = "") -> str:
    r"""Write a document as our reader reads it; what is empty is left out.

    >>> print(yaml_text({"a": [{"b": "NO"}], "c": "one\ntwo", "d": []}), end="")
    a:
      - b: 'NO'
    c: |-
      one
      two

    Args:
        document: a text that ends in `CONFIRM` gets a remark that it is a guess.
        head: lines of remarks above it.
    """
    import yaml

    class Writer(yaml.SafeDumper):
        """Indents lists, and writes plain mappings of a few words in one line."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    def short(dumper: yaml.SafeDumper, value: Short) -> yaml.Node:
        pairs = dict(value).items()
        return dumper.represent_mapping("tag:yaml.org,2002:map", pairs, flow_style=True)

    Writer.add_representer(str, text)
    Writer.add_representer(Short, short)
    made = yaml.dump(
        _plain(document), Dumper=Writer, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    above = "".join(f"# {line}\n" for line in head.splitlines())
    lines = [
        line.replace(CONFIRM, "") + _REMARK if CONFIRM in line else line
        for line in made.splitlines()
    ]
    return above + "\n".join(lines) + "\n"


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
