"""Files of a production instance: Dagster on PostgreSQL, one gRPC code server per domain."""

from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.factory.workspace import definitions_path
from dataops_mesh.spec.model import Domain, Mesh

FIRST_PORT = 4001
DATABASE = "DAGSTER_POSTGRES_URL"
GATE = "deploy/gate"  # the socket of the gate process; the setting `gate` of everybody else
GATE_PROCESS = ("python", "-I", "-m", "dataops_mesh.run.process.server", GATE)
DAGSTER_YAML = f"""\
# Written by `mesh workspace --production`; yours to edit. docs/production.md explains it.
telemetry:
  enabled: false
nux:
  enabled: false
storage:
  postgres:
    postgres_url:
      env: {DATABASE}
run_monitoring:      # a run whose process is gone is marked as failed
  enabled: true
  start_timeout_seconds: 300
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 30   # of the pool that a killed run held
run_retries:         # only for runs that were killed: a step that failed has had its own retries,
  enabled: true      # and a refusal would be refused again
  max_retries: 2
  retry_on_asset_or_op_failure: false
concurrency:
  pools:
    default_limit: 1         # every product is a pool: it never builds twice at the same time
  runs:
    max_concurrent_runs: 8
    tag_concurrency_limits:
      - key: dagster/backfill  # a backfill leaves room for the daily runs
        limit: 4
run_coordinator:     # a run starts within a second of being asked for
  module: dagster
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
sensors:             # one slow domain does not hold up the others
  use_threads: true
  num_workers: 4
freshness:
  enabled: true
retention:           # ticks; Dagster keeps runs and events until somebody deletes them
  schedule:
    purge_after_days: {{skipped: 7, failure: 90, success: 90}}
  sensor:
    purge_after_days: {{skipped: 2, failure: 30, success: 30}}
"""


@dataclass(frozen=True, slots=True)
class CodeServer:
    """The process that serves one domain.

    Args:
        arguments: what follows `dagster code-server start`.
        program: how Dagster is started in the domain's environment.
    """

    domain: str
    port: int
    arguments: tuple[str, ...]
    program: str = "dagster"


def code_servers(mesh: Mesh, first_port: int = FIRST_PORT) -> tuple[CodeServer, ...]:
    """Return one code server per domain, on ports in a row."""
    return tuple(
        CodeServer(domain.name, port, _arguments(mesh, domain, port), _program(domain))
        for port, domain in enumerate(mesh.domains, first_port)
    )


def production_files(mesh: Mesh, first_port: int = FIRST_PORT) -> dict[str, str]:
    """Return the files of a production instance by name."""
    servers = code_servers(mesh, first_port)
    workspace = ["# Made by `mesh workspace --production`: one gRPC code server per domain."]
    workspace.append("load_from:")
    for server in servers:
        workspace += [
            "  - grpc_server:",
            "      host: 127.0.0.1",
            f"      port: {server.port}",
            f"      location_name: {server.domain}",
        ]
    start = ["# One process each, kept running by your supervisor, from the workspace's root."]
    start += [f"# The first is the gate; for all: DATAOPS_MESH_GATE={GATE},"]
    start += ["# DATAOPS_MESH_ISOLATION=required and DATAOPS_MESH_OWNERSHIP=assigned"]
    start += ["# (docs/production.md lists more; `mesh domain assign` says whose a domain is)."]
    start += [" ".join(GATE_PROCESS)]
    start += [f"{s.program} code-server start {' '.join(s.arguments)}" for s in servers]
    start += ["dagster-daemon run -w deploy/workspace.yaml"]
    start += ["dagster-webserver -w deploy/workspace.yaml -h 127.0.0.1 -p 3000"]
    return {
        "dagster.yaml": DAGSTER_YAML,
        "workspace.yaml": "\n".join(workspace) + "\n",
        "processes.txt": "\n".join(start) + "\n",
    }


def write_production(mesh: Mesh, first_port: int = FIRST_PORT) -> Path:
    """Write the files into `deploy/` of the workspace and return that folder."""
    folder = mesh.root / "deploy"
    folder.mkdir(exist_ok=True)
    for name, text in production_files(mesh, first_port).items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _arguments(mesh: Mesh, domain: Domain, port: int) -> tuple[str, ...]:
    where = ("-h", "127.0.0.1", "-p", str(port))
    return ("-f", definitions_path(mesh, domain), "--location-name", domain.name, *where)


def _program(domain: Domain) -> str:
    return f"{domain.python} -m dagster" if domain.python else "dagster"
