"""The CI templates: the workflow is valid and safe, and the script does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dataops_mesh.spec.read.yaml import read_document

REPOSITORY = Path(__file__).parents[2]
TEMPLATES = REPOSITORY / "dataops_mesh" / "scaffold" / "files" / "ci"
WORKFLOW, SCRIPT = TEMPLATES / "data-mesh.yml", TEMPLATES / "mesh-ci.sh"
STAGES = ("check", "docs", "plan", "impact", "tests", "security", "deploy", "verify")
TOOLS = Path(sys.executable).parent

PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: shop.orders
version: 1.0.0
description: {purpose: Every order., limitations: None are known.}
inputPorts:
  - name: orders_csv
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: orders.csv}}
"""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: shop.orders.contract
version: 1.0.0
description: {purpose: One row per order.}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, description: Number.}
"""


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "domains" / "shop" / "orders"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.dataops_mesh]\n", "utf-8")
    texts = {
        "product.odps.yaml": PRODUCT,
        "orders.odcs.yaml": CONTRACT,
        "orders.sql": "select id from orders_csv\n",
        "orders.csv": "id\n1\n",
    }
    loading = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
    (folder.parent / "definitions.py").write_text(loading, "utf-8")
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return tmp_path


def ci(root: Path, *arguments: str, **variables: str):
    """Run a stage with `mesh` and `python` of this environment first on the path."""
    tools = root / ".tools"
    tools.mkdir(exist_ok=True)
    for name, target in {"mesh": "-m dataops_mesh.cli.main ", "python": ""}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {target}"$@"\n', "utf-8")
        (tools / name).chmod(0o755)
    foreign = ("DATAOPS_MESH_", "DAGSTER_", "MESH_", "GITHUB_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    own = {"PATH": f"{tools}:{kept['PATH']}", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        cwd=root, env=kept | own | variables, capture_output=True, text=True, check=False,
        timeout=280,
    )  # fmt: skip


def test_the_workflow_is_a_valid_one():
    command = [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, WORKFLOW], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_has_no_known_weakness():
    command = [TOOLS / "zizmor", "--offline", "--no-progress", "--no-config", WORKFLOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_calls_every_stage_and_deploys_in_order():
    data = read_document(WORKFLOW, "data-mesh.yml").data
    jobs = data["jobs"]
    called = {
        match.group(1)
        for job in jobs.values()
        for step in job["steps"]
        if (match := re.match(r"ci/mesh-ci\.sh (\w+)", step.get("run", "")))
    }
    assert called == set(STAGES)
    assert jobs["dev"]["needs"] == ["check", "security"]
    assert jobs["staging"]["needs"] == "dev"
    assert jobs["production"]["needs"] == "staging"
    for environment in ("dev", "staging", "production"):
        runs = [step["run"] for step in jobs[environment]["steps"] if "run" in step]
        assert runs == [
            f"ci/mesh-ci.sh deploy {environment}",
            f"ci/mesh-ci.sh verify {environment}",
        ]


def test_a_call_without_a_stage_lists_them(workspace):
    said = ci(workspace)
    assert said.returncode == 2
    assert all(f"mesh-ci.sh {stage}" in said.stderr for stage in STAGES)


def test_check_fails_where_mesh_check_does(workspace):
    assert ci(workspace, "check").returncode == 0
    (workspace / "domains/shop/orders/orders.sql").write_text("drop table x\n", "utf-8")
    assert ci(workspace, "check").returncode == 1


def test_documentation_that_is_missing_fails_although_policies_only_warn(workspace):
    assert ci(workspace, "docs").returncode == 0
    contract = workspace / "domains/shop/orders/orders.odcs.yaml"
    contract.write_text(CONTRACT.replace(", description: Number.", ""), "utf-8")
    said = ci(workspace, "docs")
    assert said.returncode == 1
    assert 'the column "id" of shop.orders has no description' in said.stdout
    contract.write_text("a: [", "utf-8")
    assert ci(workspace, "docs").returncode != 0


def test_the_plan_is_markdown_for_a_comment(workspace):
    said = ci(workspace, "plan", "published", "plan.md")
    assert said.returncode == 0, said.stderr
    assert "shop.orders" in (workspace / "plan.md").read_text("utf-8")


def test_the_impact_is_markdown_for_a_comment(workspace):
    said = ci(workspace, "impact", "published", "impact.md")
    assert said.returncode == 0, said.stderr
    assert "`shop.orders`" in (workspace / "impact.md").read_text("utf-8")


def test_code_with_a_weakness_is_found(workspace):
    code = workspace / "domains/shop/orders/transform.py"
    code.write_text("import subprocess\nsubprocess.call('ls ' + input(), shell=True)\n", "utf-8")
    said = ci(workspace, "security", MESH_OFFLINE="report")
    assert said.returncode == 1
    assert "B602" in said.stdout + said.stderr


def test_what_could_not_run_is_said_and_fails_unless_it_may(workspace):
    empty = workspace / "empty.txt"
    empty.write_text("six==1.16.0\n", "utf-8")
    # A proxy that is not there: the same for pip-audit as no network.
    offline = {"HTTPS_PROXY": "socks5://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    strict = ci(workspace, "security", MESH_REQUIREMENTS=str(empty), **offline)
    assert strict.returncode == 1
    assert "NOT RUN: pip-audit" in strict.stderr
    told = ci(workspace, "security", MESH_REQUIREMENTS=str(empty), MESH_OFFLINE="report", **offline)
    assert told.returncode == 0
    assert "NOT RUN: pip-audit" in told.stderr


def test_a_deployment_needs_a_command_and_is_followed_by_checks(workspace):
    said = ci(workspace, "deploy", "dev")
    assert said.returncode != 0
    assert "set MESH_DEPLOY" in said.stderr
    said = ci(workspace, "deploy", "production", MESH_DEPLOY='echo "$MESH_ENVIRONMENT" > where')
    assert said.returncode == 0, said.stderr
    assert (workspace / "where").read_text("utf-8") == "production\n"
    said = ci(workspace, "deploy", "dev", MESH_DEPLOY="true")
    assert said.returncode == 0, said.stderr
    said = ci(workspace, "verify", "dev")
    assert said.returncode == 0, said.stderr
    assert "shop.orders" in said.stdout


def test_code_without_tests_is_not_merged_unless_a_policy_says_so(workspace):
    red = ci(workspace, "tests")
    assert red.returncode == 1
    assert "code without tests is not merged" in red.stderr
    off = "rules: {tests_exist: {severity: off, reason: a first week}}\n"
    (workspace / "policies.yaml").write_text(off, "utf-8")
    assert ci(workspace, "tests").returncode == 0
    (workspace / "policies.yaml").write_text("default: warning\n", "utf-8")
    (workspace / "tests").mkdir()
    file = workspace / "tests" / "x_test.py"
    skipped = "import pytest\n\n\n@pytest.mark.skip\ndef test_x():\n    pass\n"
    # An empty folder is no test, nor is a file without one, nor one that does not run.
    for text in (None, "X = 1\n", skipped):
        if text:
            file.write_text(text, "utf-8")
        red = ci(workspace, "tests")
        assert red.returncode != 0
        assert "code without tests is not merged" in red.stderr
    file.write_text("def test_x():\n    pass\n", "utf-8")
    assert ci(workspace, "tests").returncode == 0
    assert "tests_exist" not in ci(workspace, "check").stderr
