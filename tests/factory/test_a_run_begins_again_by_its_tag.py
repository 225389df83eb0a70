"""The tag `mesh/full` of a run of Dagster leaves out what was published, or says that it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from helpers import a_product, a_source, read, write_workspace
from locations import QUIET, execute, job_of

LOG = a_product(
    {"log": ["{name: id, logicalType: integer}"]},
    inputs=[a_source("incoming", "incoming.csv"), "- name: self\n"],
    files={
        "log.sql": "select id from self union all select id from incoming",
        "incoming.csv": "id\n1\n",
    },
)


def count(settings):
    return read(settings, "select count(*) from shop.log")


def test_a_run_that_dagster_launches_with_the_tag(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"log": LOG}})
    file = settings.domains_folder / "shop" / "definitions.py"
    file.write_text(
        "from pathlib import Path\nfrom dataops_mesh import load_domain\n"
        "defs = load_domain(Path(__file__).parent)\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    for tags, rows in (({}, 1), ({}, 2), ({"mesh/full": "true"}, 1)):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "dagster", "job", "execute", "-f", str(file)),
                *("-j", "__ASSET_JOB", "--tags", json.dumps(tags)),
            ],
            cwd=tmp_path,
            env={**os.environ, "DAGSTER_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert count(settings) == [(rows,)]


def test_a_tag_that_says_neither_builds_nothing(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"log": LOG}})
    assert execute(settings, "shop", instance).success
    job = job_of(settings, "shop")
    result = job.execute_in_process(
        instance=instance, tags={"mesh/full": "yes"}, raise_on_error=False, run_config=QUIET
    )
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert "tag mesh/full is neither true nor false" in str(failed.step_failure_data)
    assert count(settings) == [(1,)]
