"""Runs `datacontract lint` on every example contract and every contract in the documentation.

make lint-contracts            installs datacontract-cli into an environment of its own first
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from test_examples_follow_both_standards import FILES, WHOLE


def main(program: str) -> int:
    """Lint all of them and return how many are not valid."""
    texts = {str(file.name): file.read_text("utf-8") for file in FILES} | dict(WHOLE)
    contracts = {k: t for k, t in texts.items() if yaml.safe_load(t)["kind"] == "DataContract"}
    failed = 0
    with TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(contracts.items()):
            file = Path(folder) / f"{number}.odcs.yaml"
            file.write_text(text, "utf-8")
            done = subprocess.run(
                [program, "lint", str(file)], capture_output=True, text=True, check=False
            )
            good = done.returncode == 0
            failed += not good
            sys.stdout.write(f"{'valid ' if good else 'WRONG '} {name}\n")
            sys.stdout.write("" if good else done.stdout + done.stderr)
    sys.stdout.write(f"{len(contracts)} contracts, {failed} not valid\n")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
