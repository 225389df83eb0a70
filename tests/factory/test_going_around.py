"""Ways around the gate that Dagster offers; after none of them is untested data readable.

Each test says what Dagster did: it refused the request, or it ran the whole gate.
"""

from __future__ import annotations

import dagster as dg
import pytest
from helpers import write_product, write_workspace
from locations import (
    BAD,
    GOOD,
    MORE,
    ORDERS,
    QUIET,
    execute,
    in_process,
    job_of,
    location,
    orders,
    pair,
    reconstructable,
    rows,
    totals,
    write_dbt_product,
)

pytestmark = pytest.mark.usefixtures("without_pauses")
READ = "select id from shop.orders order by id"
LEFT, RIGHT = dg.AssetKey(["two", "left"]), dg.AssetKey(["two", "right"])
STAGING, KINDS = dg.AssetKey(["dots", "dots", "stg_orders"]), dg.AssetKey(["dots", "kinds"])
NOT_A_SUBSET = "This AssetsDefinition does not support subsetting"
PRIMARY_KEY = dg.AssetCheckKey(ORDERS, "primary_key")


@pytest.fixture(params=["never published", "published before"])
def before(request, tmp_path, instance):
    """A domain whose next candidate is refused, and what consumers read until then."""
    published = request.param == "published before"
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD if published else BAD)}})
    if published:
        assert execute(settings, "shop", instance).success
        write_product(tmp_path, "shop", "orders", orders(BAD))
    return settings, [(1,), (2,)] if published else None


def run_selection(settings, domain, instance, selection):
    """Run a selection as a job of its own in the same code location."""
    defs = location(settings, domain)
    job = dg.define_asset_job("around", selection=selection)
    made = dg.Definitions(assets=defs.assets, jobs=[job], executor=dg.in_process_executor)
    return in_process(made.resolve_job_def("around"), instance)


def causes(error):
    """Return what an error and everything behind it says."""
    said = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(said)


def checks_in(result):
    return {e.check_name for e in result.get_asset_check_evaluations()}


def ran_the_whole_gate(result):
    return len(checks_in(result)) == 5 and not result.get_asset_materialization_events()


@pytest.mark.parametrize(
    "selection",
    [
        dg.AssetSelection.assets(ORDERS).without_checks(),
        dg.AssetSelection.checks_for_assets(ORDERS),
        dg.AssetSelection.checks(PRIMARY_KEY),
        dg.AssetSelection.assets(ORDERS) - dg.AssetSelection.checks(PRIMARY_KEY),
    ],
    ids=["without checks", "checks alone", "one check alone", "all but the check that fails"],
)
def test_a_job_that_separates_data_and_checks_is_refused_by_dagster(before, instance, selection):
    settings, old = before
    with pytest.raises(dg.DagsterError) as raised:
        run_selection(settings, "shop", instance, selection)
    assert NOT_A_SUBSET in causes(raised.value)
    assert rows(settings, READ) == old


@pytest.mark.parametrize(
    ("assets", "checks"),
    [({ORDERS}, set()), (set(), {PRIMARY_KEY}), ({ORDERS}, {PRIMARY_KEY})],
    ids=["asset without checks", "one check", "asset and one check"],
)
def test_the_selection_that_the_ui_sends_cannot_drop_a_check(before, instance, assets, checks):
    settings, old = before
    job = job_of(settings, "shop")
    with pytest.raises(dg.DagsterError) as raised:
        job.get_subset(asset_selection=assets, asset_check_selection=checks)
    assert NOT_A_SUBSET in causes(raised.value)
    assert rows(settings, READ) == old


def test_materializing_the_asset_alone_runs_the_whole_gate(before, instance):
    settings, old = before
    result = execute(settings, "shop", instance, [ORDERS])
    assert not result.success
    assert ran_the_whole_gate(result)
    assert rows(settings, READ) == old


def test_selecting_the_op_alone_runs_the_whole_gate(before, instance):
    settings, old = before
    result = in_process(job_of(settings, "shop"), instance, op_selection=["shop__orders"])
    assert not result.success
    assert ran_the_whole_gate(result)
    assert rows(settings, READ) == old


def test_materialize_with_a_checkless_selection_is_refused_by_dagster(before, instance):
    settings, old = before
    with pytest.raises(dg.DagsterError) as raised:
        dg.materialize(
            list(location(settings, "shop").assets),
            instance=instance,
            selection=dg.AssetSelection.assets(ORDERS).without_checks(),
        )
    assert NOT_A_SUBSET in causes(raised.value)
    assert rows(settings, READ) == old


def test_running_a_refused_run_again_from_failure_runs_the_whole_gate(tmp_path, kept_instance):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(BAD), "totals": totals("shop.orders")}}
    )
    job = reconstructable(settings, "shop")
    refused = dg.execute_job(job, kept_instance, run_config=QUIET)
    assert not refused.success
    for _ in range(2):
        again = dg.execute_job(
            job,
            kept_instance,
            run_config=QUIET,
            reexecution_options=dg.ReexecutionOptions.from_failure(refused.run_id, kept_instance),
        )
        assert not again.success
        steps = [e.step_key for e in again.all_events if e.is_step_failure]
        assert steps == ["shop__orders"]
        evaluated = [e for e in again.all_events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
        assert len(evaluated) == 5
        assert rows(settings, "from shop.orders") is None
        assert rows(settings, "from shop.totals") is None


def test_repeating_one_step_of_an_earlier_good_run_runs_the_whole_gate(tmp_path, kept_instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    job = reconstructable(settings, "shop")
    good = dg.execute_job(job, kept_instance, run_config=QUIET)
    assert good.success
    write_product(tmp_path, "shop", "orders", orders(BAD))
    again = dg.execute_job(
        job,
        kept_instance,
        run_config=QUIET,
        reexecution_options=dg.ReexecutionOptions(good.run_id, ["shop__orders"]),
    )
    assert not again.success
    assert rows(settings, READ) == [(1,), (2,)]


def test_going_on_from_the_step_after_the_refusal_reads_only_what_is_published(
    tmp_path, kept_instance
):
    """Dagster runs the consumer's step alone; its input is the publication, not the candidate."""
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(GOOD), "totals": totals("shop.orders")}}
    )
    assert execute(settings, "shop", kept_instance).success
    write_product(tmp_path, "shop", "orders", orders("id,kind\n1,a\n1,b\n3,c\n"))
    job = reconstructable(settings, "shop")
    refused = dg.execute_job(job, kept_instance, run_config=QUIET)
    assert not refused.success
    after = dg.execute_job(
        job,
        kept_instance,
        run_config=QUIET,
        reexecution_options=dg.ReexecutionOptions(refused.run_id, ["shop__totals"]),
    )
    assert after.success
    assert rows(settings, "from shop.totals") == [(2,)]


def test_one_port_of_two_is_refused_by_dagster(tmp_path, instance):
    settings = write_workspace(tmp_path, {"two": {"two": pair(GOOD)}})
    for port in (LEFT, RIGHT):
        with pytest.raises(dg.DagsterError) as raised:
            execute(settings, "two", instance, [port])
        assert NOT_A_SUBSET in causes(raised.value)
    assert rows(settings, "from two.left") is None
    assert rows(settings, "from two.right") is None


def test_a_good_port_is_not_published_when_the_other_is_refused(tmp_path, instance):
    settings = write_workspace(tmp_path, {"two": {"two": pair(GOOD)}})
    assert execute(settings, "two", instance).success
    write_product(tmp_path, "two", "two", pair("id,kind\n1,a\n1,b\n3,c\n"))
    assert not execute(settings, "two", instance).success
    assert rows(settings, "select n from two.left, two.right") == [(2,), (2,)]
    write_product(tmp_path, "two", "two", pair(MORE))
    assert execute(settings, "two", instance).success
    assert rows(settings, "select n from two.left, two.right") == [(3,)] * 3


def test_one_dbt_model_alone_is_refused_by_dagster(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    write_dbt_product(tmp_path, kinds=2)
    assert execute(settings, "shop", instance).success
    for model in (STAGING, KINDS):
        with pytest.raises(dg.DagsterError) as raised:
            execute(settings, "dots", instance, [model])
        assert NOT_A_SUBSET in causes(raised.value)
    assert rows(settings, "from dots.kinds") is None


def test_a_dbt_product_that_is_refused_publishes_no_model(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    write_dbt_product(tmp_path, kinds=2)
    assert execute(settings, "shop", instance).success
    assert execute(settings, "dots", instance).success
    assert rows(settings, "select count(*) from dots.kinds") == [(2,)]
    write_product(tmp_path, "shop", "orders", orders(MORE))
    assert execute(settings, "shop", instance).success
    refused = execute(settings, "dots", instance)
    assert not refused.success
    assert not refused.get_asset_materialization_events()
    assert {"as_many_kinds", "dbt_not_null_kinds_kind"} <= checks_in(refused)
    assert rows(settings, "select count(*) from dots.kinds") == [(2,)]


def test_no_inner_model_of_dbt_has_an_address(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    write_dbt_product(tmp_path, kinds=2)
    assert execute(settings, "shop", instance).success
    assert execute(settings, "dots", instance).success
    assert rows(settings, "from dots.stg_orders") is None
