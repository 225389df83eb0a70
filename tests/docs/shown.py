"""Which test runs a block of the pages that is not run by itself."""

from __future__ import annotations

README, DECLARED = "tests/docs/test_readme.py", "tests/spec/test_the_documentation_is_true.py"
POLICIES = "tests/policy/test_the_page_is_true.py"
SMALLEST = f"{README}::test_the_smallest_product_of_the_readme_runs"
SHORTEST = f"{DECLARED}::test_the_shortest_product_is_real"
WHO = "tests/cli/word/test_who_did_what_page.py::test_the_page_shows_what_the_commands_say"
REMOVING = (
    "tests/cli/word/test_the_page_on_removing.py::test_the_commands_of_the_page_do_what_it_says"
)
DBT = "tests/docs/test_the_page_on_dbt.py"
OTHERS = "tests/docs/test_the_page_on_other_contracts.py"
IMPORT = "tests/scaffold/test_a_dbt_project_is_imported.py"
QUARANTINE = "tests/docs/test_the_page_on_quarantine.py"
MASKS = "tests/docs/test_the_page_on_masks.py"
ROLES = "tests/docs/test_the_page_on_roles.py"
SHARED = "tests/docs/test_the_page_on_shared.py::test_the_files_of_the_page_make_products_that_are_published"
CAPTURES = "tests/docs/test_the_page_on_captures.py"
STATE = "tests/docs/test_the_page_on_state.py"
RESOURCES = (
    "tests/docs/test_the_page_on_resources.py::test_the_resource_of_the_page_brings_what_is_new"
)
ELSEWHERE = "tests/docs/test_the_page_on_elsewhere.py"
SANDBOXES = "tests/cli/sandboxes/test_sandboxes.py::test_the_commands_of_the_page_do_what_it_says"
ALERTS = "tests/cli/test_the_page_on_alerts.py"
EXPORTS = "tests/docs/test_the_page_on_exports.py"
DRAWING = "not run: a drawing"

# (page, first line) -> the test that runs it, or why nothing does.
SHOWN = {
    ("README.md", "product.odps.yaml ─┐                       ┌─────────── the gate ───────────┐"): DRAWING,
    ("README.md", "apiVersion: v1.1.0"): SMALLEST,
    ("README.md", "apiVersion: v3.2.0"): SMALLEST,
    ("README.md", "select carrier, name from airlines_csv"): SMALLEST,
    ("README.md", "from dataops_mesh import load_domain"): SMALLEST,
    ("README.md", "$ mesh run weather.as_delivered"): "tests/examples/test_example_mesh.py::test_the_feed_as_delivered_is_refused_for_its_key_and_its_wind",
    ("README.md", "from dataops_mesh import connect"): f"{README}::test_reading_as_the_readme_shows_it",
    ("ARCHITECTURE.md", "product.odps.yaml + <port>.odcs.yaml + transform         a folder that a domain team owns"): DRAWING,
    ("ARCHITECTURE.md", "cli, serving            what people type; what consumers import"): DRAWING,
    ("ARCHITECTURE.md", "<store>/candidates/<domain>/<product>/<id>/   <port>/part-*.parquet, manifest.json    immutable"): DRAWING,
    ("declarations.md", "apiVersion: v1.1.0"): SHORTEST,
    ("declarations.md", "apiVersion: v3.2.0"): SHORTEST,
    ("declarations.md", "select tailnum as tail_number, seats"): SHORTEST,
    ("declarations.md", 'domains/fleet/aircraft/aircraft.odcs.yaml:11: schema[0].properties[1].logicalType: "integr" is not one of the valid values (did you mean "integer"?)'): f"{DECLARED}::test_the_error_that_is_shown_is_the_error",
    ("declarations.md", "# domains/fleet/aircraft/inputs/aircraft_csv.odcs.yaml"): "tests/exact/test_sources_have_contracts.py::test_the_contract_of_the_page_is_real",
    ("dagster.md", "import dagster as dg"): "tests/docs/test_the_page_on_dagster.py::test_the_definitions_of_the_page_load",
    ("dagster.md", "# defs/orders/defs.yaml"): "tests/factory/test_beside_assets_of_ones_own.py::test_a_file_of_dg_names_what_is_loaded",
    ("dagster.md", "# in domains/shop/orders/product.odps.yaml"): "tests/docs/test_the_page_on_dagster.py::test_the_source_of_the_page_is_read",
    ("exports.md", "# orders.odcs.yaml"): f"{EXPORTS}::test_the_contract_and_the_commands_of_the_page",
    ("exports.md", "$ export MESH_CONNECTION_WAREHOUSE='postgresql://mesh:...@db.example.org/analytics'"): f"{EXPORTS}::test_the_contract_and_the_commands_of_the_page",
    ("exports.md", "exports/shop/sales/current/            a link that is renamed: read this"): DRAWING,
    ("elsewhere.md", "$ mesh publish shop.orders --from export/orders.csv"): f"{ELSEWHERE}::test_the_command_of_the_page_says_what_the_page_shows",
    ("elsewhere.md", "15 6 * * *  cd /srv/mesh && mesh publish shop.orders"): f"{ELSEWHERE}::test_what_other_tools_would_type_are_commands_that_exist",
    ("elsewhere.md", "from airflow.providers.standard.operators.bash import BashOperator"): f"{ELSEWHERE}::test_what_other_tools_would_type_are_commands_that_exist",
    ("elsewhere.md", "import duckdb"): f"{ELSEWHERE}::test_any_client_reads_a_domain_and_all_of_them_as_the_page_shows",
    ("elsewhere.md", "from pathlib import Path"): f"{ELSEWHERE}::test_any_client_reads_a_domain_and_all_of_them_as_the_page_shows",
    ("elsewhere.md", "import subprocess"): f"{ELSEWHERE}::test_the_notebook_of_the_page_publishes",
    ("testing.md", "domains/sales/revenue/examples/two_orders_of_one_customer/"): DRAWING,
    ("index.md", "product.odps.yaml ─┐                       ┌─────────── the gate ───────────┐"): DRAWING,
    ("dbt.md", "# domains/books/totals/product.odps.yaml"): f"{DBT}::test_the_project_of_the_page_is_published",
    ("dbt.md", "# project/models/sources.yml"): f"{DBT}::test_the_project_of_the_page_is_published",
    ("dbt.md", 'value: {dbt: {project: ../../../project, select: "totals largest"}}'): f"{DBT}::test_select_says_what_is_built",
    ("dbt.md", "-- project/models/days.sql"): "tests/transform/test_dbt_builds_batches_and_partitions.py::test_a_partition_is_built_of_its_variables",
    ("dbt.md", "$ mesh run books.totals --full"): "tests/transform/test_dbt_state_loses_no_row.py::test_each_kind_of_step_leaves_what_plain_dbt_leaves",
    ("other-contracts.md", "quality:"): f"{OTHERS}::test_the_rules_of_the_page_are_executed_or_named",
    ("from-dbt.md", "$ mesh import dbt ."): f"{IMPORT}::test_the_page_says_what_the_command_says",
    ("from-dbt.md", "$ mesh import dbt . --source ecom.raw_orders=data/raw_orders.csv"): f"{IMPORT}::test_a_source_that_nobody_can_place_is_asked_for",
    ("other-contracts.md", "name: basket"): f"{OTHERS}::test_the_column_of_the_page_is_checked_inside",
    ("other-contracts.md", "schema:"): f"{OTHERS}::test_each_object_of_the_page_is_a_port",
    ("partitions.md", "schema:"): f"{README}::test_partitions_are_declared_as_the_page_shows",
    ("policies.md", "# presidio.yaml"): "tests/run/masks/test_presidio_looks_too.py::test_what_the_page_describes_is_found_and_not_shown",
    ("policies.md", "default: error                 # of every policy that is not named below; absent: warning"): f"{POLICIES}::test_the_policies_file_of_the_page_holds",
    ("policies.md", "product.outputPorts.all(p, p.contract.schema[0].properties.exists(c, c.primaryKey))"): f"{POLICIES}::test_the_expression_of_the_page_is_kept",
    ("policies.md", "from dataops_mesh.policy.model import Finding, Policy"): f"{POLICIES}::test_the_python_policy_of_the_page_is_one",
    ("policies.md", "select id, ssn as code, sha256(ssn) as person, date_trunc('month', born) as month from people.people"): "tests/policy/test_a_class_follows_its_values.py::test_the_query_of_the_page_is_judged_as_it_says",
    ("shared.md", "shared/columns.odcs.yaml          columns and rules for contracts"): DRAWING,
    ("shared.md", "# shared/columns.odcs.yaml"): SHARED,
    ("shared.md", "# domains/sales/orders/orders.odcs.yaml"): SHARED,
    ("shared.md", "-- shared/money.sql"): SHARED,
    ("shared.md", "-- domains/sales/orders/orders.sql"): SHARED,
    ("shared.md", "# domains/sales/orders_by_region/transform.py"): SHARED,
    ("shared.md", "# domains/sales/shared/regions.py"): SHARED,
    ("captures.md", "captures"): f"{CAPTURES}::test_the_page_says_what_show_says",
    ("captures.md", "port         found      rows  again"): f"{CAPTURES}::test_the_page_builds_a_publication_again",
    ("captures.md", "# domains/shop/orders/product.odps.yaml"): f"{CAPTURES}::test_the_words_of_the_page_do_what_it_says",
    ("sources.md", "# domains/shop/orders/orders.py"): RESOURCES,
    ("sources.md", "# domains/shop/orders/product.odps.yaml"): RESOURCES,
    ("sources.md", "-- domains/shop/orders/orders.sql"): RESOURCES,
    ("sources.md", '# orders.py, beside the declaration: resource: "orders.py:shop"'): "tests/fetch/test_databases_by_dlt.py::test_only_new_rows_come_and_what_was_refused_comes_again",
    ("sources.md", 'url = "https://shop.example/api/orders"'): RESOURCES,
    ("state.md", "# domains/shop/visits/product.odps.yaml"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/visits/visits.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/customers/customers.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "-- domains/shop/prices/prices.sql"): f"{STATE}::test_the_page_appends_merges_and_keeps_history",
    ("state.md", "$ mesh run shop.visits --full"): f"{STATE}::test_the_command_of_the_page_begins_again",
    ("quarantine.md", "schema:"): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("quarantine.md", "quality:"): f"{QUARANTINE}::test_the_rules_of_the_page_are_read",
    ("quarantine.md", "- property: partitions"): f"{QUARANTINE}::test_the_rules_of_the_page_are_read",
    ("quarantine.md", "$ mesh run shop.orders"): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("quarantine.md", '$ mesh query "from shop__quarantine.orders" --candidate 20261126T010924Z-ac0d8693'): f"{QUARANTINE}::test_the_contract_of_the_page_sets_aside_what_it_shows",
    ("roles.md", "# domains/travel/passengers/passengers.odcs.yaml"): f"{ROLES}::test_the_role_of_the_page_opens_what_it_shows",
    ("roles.md", "# domains/finance/refunds/product.odps.yaml"): f"{ROLES}::test_the_role_of_the_page_opens_what_it_shows",
    ("roles.md", '$ mesh query --role fraud "select email, phone from travel.passengers"'): f"{ROLES}::test_the_role_of_the_page_opens_what_it_shows",
    ("masks.md", "schema:"): f"{MASKS}::test_the_contract_of_the_page_masks_what_it_shows",
    ("masks.md", '$ export MESH_SECRET_PASSENGERS="a long text that nobody guesses"'): f"{MASKS}::test_the_contract_of_the_page_masks_what_it_shows",
    ("security.md", "quality:"): "tests/factory/test_no_answer_of_a_rule_is_shown.py::test_the_rule_of_the_page_says_what_it_says",
    ("alerts.md", "# product.odps.yaml: which channels, by name"): f"{ALERTS}::test_the_declarations_of_the_page_are_read_and_checked",
    ("alerts.md", "refused: shop.orders"): f"{ALERTS}::test_the_alert_of_the_page_is_what_people_are_told",
    ("alerts.md", '$ mesh incident ack 3f9c2a7b10de --until 4h --reason "the supplier sends it again"'): f"{ALERTS}::test_what_the_page_types_says_what_it_shows",
    ("production.md", "{"): "tests/watch/test_events_reach_services.py::test_ten_partitions_published_before_anybody_looked_are_ten_events",
    ("who-did-what.md", "$ mesh show 2"): WHO,
    ("who-did-what.md", "$ mesh show 1 --down"): WHO,
    ("who-did-what.md", '$ mesh query "from shop.orders" --candidate 20261126T010924Z-ac0d8693'): WHO,
    ("who-did-what.md", "$ mesh report evidence --from 2026-10-01 --to 2026-12-31"): WHO,
    ("removing.md", '$ mesh rollback shop.orders --reason "wrong prices"'): REMOVING,
    ("removing.md", "$ mesh hold list"): REMOVING,
    ("removing.md", '$ mesh withdraw shop.orders --reason "the contract with the supplier ended"'): REMOVING,
    ("removing.md", '$ mesh hold lift shop.orders --reason "they signed again"'): REMOVING,
    ("removing.md", '$ mesh hold lift shop.orders --reason "the source was mended"'): REMOVING,
    ("removing.md", '$ mesh hold add shop.orders --reason "the auditor reads it until Friday"'): REMOVING,
    ("removing.md", "$ mesh status                           # says what is to end"): REMOVING,
    ("removing.md", "$ mesh withdraw shop.orders --due       # exit 2"): REMOVING,
    ("sandboxes.md", '$ mesh sandbox up late --reason "count late orders too"'): SANDBOXES,
    ("sandboxes.md", "export DATAOPS_MESH_SANDBOX=late"): "tests/cli/sandboxes/test_sandboxes.py::test_a_sandbox_that_is_gone_is_never_production",
    ("sandboxes.md", "$ mesh sandbox test"): "tests/cli/sandboxes/test_impact_of_a_change.py::test_the_change_and_all_that_reads_it_are_built_and_compared",
    ("sandboxes.md", '$ mesh sandbox promote late --reason "agreed with the desk"'): "tests/cli/sandboxes/test_promoting.py::test_what_was_tried_is_published_without_being_built_again",
    ("sandboxes.md", "$ mesh sandbox up again --from late"): "tests/cli/sandboxes/test_sandboxes.py::test_a_sandbox_begins_where_somebody_says",
    ("sandboxes.md", "<store>/heads/sandboxes/late~4f1c09a7b2d3/58.json   its releases, as production has its own"): DRAWING,
    ("metrics.md", 'mesh_runs_total{domain="fleet",outcome="published",product="aircraft"} 41.0'): "tests/web/test_prometheus_reads_it.py::test_counters_count_what_is_on_record",
    ("policies.md", "waivers:"): f"{POLICIES}::test_the_waiver_of_the_page_is_valid",
    ("logs.md", '{"time":"2026-01-31T05:00:03.211000+00:00","event":"published","id":"1/shop.orders","domain":"shop","product":"shop.orders","publication":1'): "tests/run/test_what_the_log_says.py::test_the_line_of_the_page_is_one_of_a_run",
    ("unusual.md", "quality:"): "tests/run/usual/test_a_contract_asks_for_what_is_usual.py::test_the_rule_of_the_page_is_judged",
}  # fmt: skip
WIDTH = 40  # of a first line: the start tells one from another, the rest may be reworded
SHOWN = {(page, line[:WIDTH]): entry for (page, line), entry in SHOWN.items()}
