"""Every command of docs/removing.md does what the page says, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from cli_cases import orders
from helpers import write_product

PAGE = (Path(__file__).parents[3] / "docs" / "removing.md").read_text("utf-8")
LINES = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


def test_the_commands_of_the_page_do_what_it_says(mesh, workspace):
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert mesh("run").code == 0
    for line in LINES:
        command, _, said = line.partition("#")
        wanted = re.match(r" exit (\d)", said)
        answer = mesh(*shlex.split(command)[1:])
        assert answer.code == (int(wanted[1]) if wanted else 0), line + answer.err
        if "held by a rollback" in said:
            assert "is held by a rollback by ana since" in answer.out + answer.err
        if "was withdrawn by ana" in said:
            assert "shop.orders was withdrawn by ana on" in answer.err
