"""Recording and alert rules for Prometheus: what is worth waking somebody for, and what is not."""

from __future__ import annotations

from typing import Any

PAGE, TICKET = "page", "ticket"
_STOPPED = 'outcome=~"refused|failed"'
_BY = "by (domain, product)"
_WHERE = "{{ $labels.domain }}.{{ $labels.product }}"

RECORDED = {
    "mesh:published:1d": f'sum {_BY} (increase(mesh_runs_total{{outcome="published"}}[1d]))',
    "mesh:refused:1d": f"sum {_BY} (increase(mesh_runs_total{{{_STOPPED}}}[1d]))",
    "mesh:refused:ratio1d": f"sum {_BY} (increase(mesh_runs_total{{{_STOPPED}}}[1d]))"
    f" / clamp_min(sum {_BY} (increase(mesh_runs_total[1d])), 1)",
    "mesh:freshness:ratio": "mesh_freshness_seconds / mesh_freshness_promise_seconds",
    "mesh:wrong:products": "sum by (domain) (mesh_product_level == bool 2)",
}

# name -> expression, for how long, how grave, what it says
ALERTS = {
    "MeshDataBreaksItsContract": (
        'mesh_incidents_open{kind="escaped"} > 0', "0m", PAGE,
        f"What consumers read of {_WHERE} breaks its contract.",
    ),
    "MeshFileDamaged": (
        'mesh_incidents_open{kind="damaged"} > 0', "0m", PAGE,
        f"A file of what is published of {_WHERE} is damaged; nobody can read it.",
    ),
    "MeshProductLate": (
        "mesh_slo_kept == 0", "5m", PAGE,
        f"{_WHERE} does not keep its promise about {{{{ $labels.slo }}}}.",
    ),
    "MeshProductRefused": (
        'mesh_product_state{state=~"refused|failed"} == 1', "15m", TICKET,
        f"The last run of {_WHERE} was {{{{ $labels.state }}}}; consumers read on.",
    ),
    "MeshErrorBudgetSpent": (
        "mesh_error_budget_remaining_ratio < 0", "15m", TICKET,
        f"{_WHERE} was late for more than its budget of 30 days.",
    ),
    "MeshHoldForgotten": (
        "mesh_hold_age_seconds > 604800", "1h", TICKET,
        f"{_WHERE} is {{{{ $labels.how }}}} for more than a week.",
    ),
    "MeshWaiverEnds": (
        "mesh_waiver_left_seconds < 604800", "1h", TICKET,
        f"A waiver of {_WHERE} ends in less than a week.",
    ),
    "MeshDeclarationUnreadable": (
        "mesh_declarations_broken > 0", "5m", TICKET,
        "A declaration cannot be read: mesh check says which.",
    ),
    "MeshStoreFull": (
        "mesh_store_free_bytes / mesh_store_size_bytes < 0.1", "15m", PAGE,
        "Less than a tenth of the store's disk is free.",
    ),
    "MeshNotScraped": (
        'up{job="mesh"} == 0', "5m", PAGE, "Nobody answers where the mesh's metrics were.",
    ),
}  # fmt: skip


def rules() -> dict[str, Any]:
    """Return the file of rules."""
    recorded = [{"record": name, "expr": expression} for name, expression in RECORDED.items()]
    alerts = [
        {
            "alert": name,
            "expr": expression,
            "for": lasting,
            "labels": {"severity": grave},
            "annotations": {"summary": said},
        }
        for name, (expression, lasting, grave, said) in ALERTS.items()
    ]
    return {
        "groups": [{"name": "mesh", "rules": recorded}, {"name": "mesh_alerts", "rules": alerts}]
    }


def scraping(target: str) -> dict[str, Any]:
    """Return the configuration of a Prometheus that reads one mesh."""
    return {
        "global": {"scrape_interval": "30s", "evaluation_interval": "30s"},
        "rule_files": ["mesh.rules.yaml"],
        "scrape_configs": [{"job_name": "mesh", "static_configs": [{"targets": [target]}]}],
    }
