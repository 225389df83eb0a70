"""`/metrics` for Prometheus, and the rules and dashboards that go with it.

totals      what counters count; new runs alone are read at each scrape
families    one moment of a mesh -> samples with bounded labels
rules       recording and alert rules
dashboards  panels for Grafana
"""
