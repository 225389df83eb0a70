"""Dashboards for Grafana: the mesh, a domain, a product, and how the teams work (DataOps)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_D, _P = 'domain=~"$domain"', 'domain=~"$domain",product=~"$product"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a question to Prometheus, and how its answer is drawn.

    Args:
        kind: `stat`, `timeseries` or `table`.
        legend: how a line is called.
    """

    title: str
    expression: str
    kind: str = "timeseries"
    unit: str = "short"
    legend: str = "{{domain}}.{{product}}"
    wide: int = 12


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard.

    Args:
        variables: the labels that a viewer chooses, each from the ones before it.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[str, ...] = ()


DASHBOARDS = (
    Dashboard("mesh", "Mesh", (
        Panel("Products wrong now", "sum(mesh_product_level == bool 2)", "stat", legend="", wide=6),
        Panel("Products", "count(mesh_product_level)", "stat", legend="", wide=6),
        Panel("Held or withdrawn", "sum(mesh_holds) or vector(0)", "stat", legend="", wide=6),
        Panel("Release", "mesh_release", "stat", legend="", wide=6),
        Panel("Wrong now", "mesh_incidents_open", "table", wide=24),
        Panel("Runs by how they ended", "sum by (outcome) (increase(mesh_runs_total[1h]))",
              legend="{{outcome}}"),
        Panel("Wrong by domain", "mesh:wrong:products", legend="{{domain}}"),
        Panel("Age against promise (1 is the promise)", "topk(20, mesh:freshness:ratio)"),
        Panel("Store's disk free", "mesh_store_free_bytes", unit="bytes", legend="free"),
    )),
    Dashboard("domain", "Domain", (
        Panel("Wrong now", f"sum(mesh_product_level{{{_D}}} == bool 2)", "stat", legend="", wide=8),
        Panel("Products", f"count(mesh_product_level{{{_D}}})", "stat", legend="", wide=8),
        Panel("Least error budget left", f"min(mesh_error_budget_remaining_ratio{{{_D}}})", "stat",
              "percentunit", "", 8),
        Panel("How products stand", f"mesh_product_state{{{_D}}}", "table", wide=24),
        Panel("Published a day", f"mesh:published:1d{{{_D}}}"),
        Panel("Refused or failed a day", f"mesh:refused:1d{{{_D}}}"),
        Panel("Age of what consumers read", f"mesh_freshness_seconds{{{_D}}}", unit="s"),
        Panel("Error budget left", f"mesh_error_budget_remaining_ratio{{{_D}}}",
              unit="percentunit"),
    ), ("domain",)),
    Dashboard("product", "Product", (
        Panel("Level: 0 well, 1 to watch, 2 wrong", f"mesh_product_level{{{_P}}}", "stat", wide=8),
        Panel("Promises kept", f"mesh_slo_kept{{{_P}}}", "stat", legend="{{slo}}", wide=8),
        Panel("Error budget left", f"mesh_error_budget_remaining_ratio{{{_P}}}", "stat",
              "percentunit", wide=8),
        Panel("Rows that consumers read", f"mesh_port_rows{{{_P}}}", legend="{{port}}"),
        Panel("Age, and promise", f"mesh_freshness_seconds{{{_P}}} or "
              f"mesh_freshness_promise_seconds{{{_P}}}", unit="s", legend="{{__name__}}"),
        Panel("Checks by how they ended",
              f"sum by (severity, outcome) (mesh_checks_total{{{_P}}})",
              legend="{{severity}} {{outcome}}"),
        Panel("Seconds of a run, by stage", f"sum by (stage) (mesh_run_seconds_total{{{_P}}}) / "
              f"ignoring(stage) group_left sum(mesh_runs_total{{{_P}}})", unit="s",
              legend="{{stage}}"),
        Panel("Rows built", f"increase(mesh_rows_total{{{_P}}}[1h])"),
        Panel("Bytes written", f"increase(mesh_written_bytes_total{{{_P}}}[1h])", unit="bytes"),
    ), ("domain", "product")),
    Dashboard("dataops", "DataOps", (
        Panel("Publications a day, by domain", "sum by (domain) (mesh:published:1d)",
              legend="{{domain}}"),
        Panel("Share of runs that the gate or the machine stopped, a day",
              "sum by (domain) (mesh:refused:1d) / "
              "clamp_min(sum by (domain) (mesh:published:1d + mesh:refused:1d), 1)",
              unit="percentunit", legend="{{domain}}"),
        Panel("Data downtime of the last 30 days", "topk(20, mesh_data_downtime_seconds)",
              unit="s"),
        Panel("Open for the longest", "topk(20, mesh_incident_age_seconds)", unit="s",
              legend="{{domain}}.{{product}} {{kind}}"),
        Panel("Held for the longest", "topk(20, mesh_hold_age_seconds)", unit="s",
              legend="{{domain}}.{{product}} {{how}}"),
        Panel("Waivers", "sum by (domain) (mesh_waivers)", legend="{{domain}}"),
    )),
)  # fmt: skip


def grafana(board: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it."""
    panels, x, y = [], 0, 0
    for number, panel in enumerate(board.panels, 1):
        high = 4 if panel.kind == "stat" else 8
        if x + panel.wide > 24:  # noqa: PLR2004 - the width of Grafana's grid
            x, y = 0, y + 8
        place = {"x": x, "y": y, "w": panel.wide, "h": high}
        panels.append(_panel(panel, number, place))
        x += panel.wide
        if x == 24:  # noqa: PLR2004 - the same
            x, y = 0, y + high
    return {
        "uid": f"dataops-mesh-{board.name}",
        "title": f"{board.title} (dataops_mesh)",
        "tags": ["dataops_mesh"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [_source(), *(_variable(n, board) for n in board.variables)]},
        "panels": panels,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind != "timeseries"
    return {
        "id": number,
        "title": panel.title,
        "type": panel.kind,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "expr": panel.expression,
                "legendFormat": panel.legend or "__auto",
                "instant": instant,
                "range": not instant,
                "format": "table" if panel.kind == "table" else "time_series",
            }
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(name: str, board: Dashboard) -> dict[str, Any]:
    before = board.variables[: board.variables.index(name)]
    chosen = ",".join(f'{one}=~"${one}"' for one in before)
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values(mesh_product_level{{{chosen}}}, {name})",
        "refresh": 2,
        "includeAll": True,
        "multi": False,
        "sort": 1,
    }
