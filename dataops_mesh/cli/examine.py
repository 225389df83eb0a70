"""What is wrong with products: between them, in their transforms, and by their policies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dataops_mesh.cli.environments import Ask, Place, by_place, environments
from dataops_mesh.cli.output import say, say_problems
from dataops_mesh.cli.wire import moved
from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.policy.notes import Note, notes_of
from dataops_mesh.run.process.wire import read_problem
from dataops_mesh.settings import Settings
from dataops_mesh.spec.macros import wrong_macros
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.spec.model import Mesh, Product, TransformKind
from dataops_mesh.spec.read.descriptions import cut_descriptions

if TYPE_CHECKING:
    from dataops_mesh.policy.model import Verdict

Found = tuple[list[Problem], list[Note]]


def examine_all(
    mesh: Mesh,
    products: Sequence[Product],
    settings: Settings,
    ask: Ask | None = None,
) -> Found:
    """Return the problems of the mesh and of the products, wherever they live, and the notes.

    Args:
        mesh: everything that is declared in the workspace and joined to it.
        products: those to look at.
        settings: of the workspace.
        ask: asks other environments; they are started for this if it is absent.
    """
    from dataops_mesh.quality.presidio import presidio_problems
    from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by

    only = None if len(products) == len(mesh.products) else frozenset(map(_name, products))
    problems = list(check_mesh(mesh, read_by(mesh, find_elsewhere(settings, mesh)), only))
    places = by_place(mesh, products, settings)
    if settings.presidio_file:
        problems += presidio_problems(settings.presidio_file)
    own_problems, notes = examine(places.pop(None, ()), mesh, settings)
    problems += own_problems
    if places and ask is None:
        with environments(settings) as started:
            there, told = _examine_there(places, settings, started)
    elif places and ask is not None:
        there, told = _examine_there(places, settings, ask)
    else:
        there, told = [], []
    return [*problems, *there], [*notes, *told]


def examine(products: Sequence[Product], mesh: Mesh, settings: Settings) -> Found:
    """Return what is wrong with the products of this environment, and what else there is to say."""
    from dataops_mesh.run.guards.capture import capture_problems
    from dataops_mesh.run.guards.roles import restricted_problems
    from dataops_mesh.run.lineage import dbt_manifest
    from dataops_mesh.transform.dbt.profile import profile_notes
    from dataops_mesh.transform.dbt.project import is_dbt
    from dataops_mesh.transform.dry.around import import_problems, source_notes
    from dataops_mesh.transform.dry.chance import chance_notes
    from dataops_mesh.transform.dry.dbt_columns import dbt_column_notes
    from dataops_mesh.transform.dry.rules import rule_problems
    from dataops_mesh.transform.dry.session import known_types
    from dataops_mesh.transform.dry.spelling import spelling_notes
    from dataops_mesh.transform.dry.transforms import Bound, bound
    from dataops_mesh.transform.validate import transform_problems
    from dataops_mesh.transform.walls import walls_of

    problems: list[Problem] = []
    notes: list[Note] = []
    if not products:
        return problems, []
    hidden = walls_of(settings).protected
    for product in products:
        if stray := _record_problems(product, settings):
            problems += stray  # nothing else of it is looked into
            continue
        wrong = transform_problems(product)
        known = known_types(product, mesh, hidden)
        sql = Bound() if wrong else bound(product, known)
        problems += (
            wrong
            or sql.problems
            or import_problems(product, walls_of(settings))
            or _dbt_problems(product, settings)
        )
        problems += rule_problems(product, known)
        problems += restricted_problems(product, settings)
        problems += capture_problems(product, settings)
        said = (*source_notes(product), *profile_notes(product), *sql.notes)
        said += (*cut_descriptions(product), *chance_notes(product))
        said += () if wrong else spelling_notes(product, known)
        if is_dbt(product) and not wrong:
            said += dbt_column_notes(product, known, dbt_manifest(product, walls_of(settings)))
            said += _unpublished(product, settings)
        notes += [("warning", problem) for problem in said]
    shared = dict.fromkeys(one for product in products for one in wrong_macros(product))
    notes += [("warning", one) for one in shared if one not in problems]
    try:
        verdict = _judge(mesh, products, settings)
    except DeclarationError as error:  # the policies' file, or a product's waivers
        return [*problems, *error.problems], notes
    return [*problems, *verdict.refusals], [*notes, *notes_of(verdict)]


def sound_products(
    mesh: Mesh, products: Sequence[Product], settings: Settings, ask: Ask
) -> tuple[Product, ...]:
    """Return the products with which nothing is wrong, and say what is with others.

    Raises:
        DeclarationError: something is wrong with every one.
    """
    problems, _ = examine_all(mesh, products, settings, ask)
    if not problems:
        return tuple(products)
    unsound = set[str]()
    for domain in dict.fromkeys(product.domain for product in products):
        own = [product for product in products if product.domain == domain]
        if examine_all(mesh, own, settings, ask)[0]:
            rest = [one for one in own if not examine_all(mesh, [one], settings, ask)[0]]
            if len(rest) == len(own) or examine_all(mesh, rest, settings, ask)[0]:
                rest = []  # something between them: nobody can say whose it is
            unsound |= {*map(_name, own)} - {*map(_name, rest)}
    sound = tuple(one for one in products if one.qualified_name not in unsound)
    if not sound:
        raise DeclarationError(problems)
    say_problems(DeclarationError(problems))
    others = ", ".join(one.qualified_name for one in products if one.qualified_name in unsound)
    say(f"note: not built until that is mended: {others}; the rest goes on")
    return sound


def require_sound(
    mesh: Mesh,
    products: Sequence[Product],
    settings: Settings,
    ask: Ask | None = None,
) -> None:
    """Stop before anything is built or written if something is wrong.

    Raises:
        DeclarationError: with every problem of the mesh and of the products.
    """
    problems, _ = examine_all(mesh, products, settings, ask)
    if problems:
        raise DeclarationError(problems)


def _examine_there(
    places: Mapping[Place | None, Sequence[Product]], settings: Settings, ask: Ask
) -> Found:
    problems: list[Problem] = []
    notes: list[Note] = []
    for place, products in places.items():
        if place is None:
            continue
        here = partial(moved, root=place.root, base=settings.root)
        names = [product.qualified_name for product in products]
        for line in ask(place, {"ask": "check", "products": names}):
            problems += [here(read_problem(one)) for one in line.get("problems", ())]
            notes += [(level, here(read_problem(one))) for level, one in line.get("notes", ())]
    return problems, notes


def _judge(mesh: Mesh, products: Sequence[Product], settings: Settings) -> Verdict:
    from dataops_mesh.policy.judge import judge
    from dataops_mesh.run.decisions import decisions_in, former_products
    from dataops_mesh.run.guards.flow import flows_in

    every = len(products) == len(mesh.products)
    only = None if every else set(map(_name, products))
    decisions = decisions_in(settings)  # of git, who stands for approvals and waivers
    return judge(
        mesh,
        settings,
        only=only,
        former=former_products(mesh, settings) if every else (),
        flows=flows_in(mesh, settings),
        decisions=decisions,
    )


def require_words(mesh: Mesh, where: Collection[Location], settings: Settings) -> None:
    """Make sure that decisions are the words of whom they name, as far as a policy asks.

    Raises:
        DeclarationError: one of those at these places is not.
    """
    from dataops_mesh.policy.decisions import WORDS
    from dataops_mesh.spec.model import Severity

    found = _judge(mesh, mesh.products, settings).of(Severity.ERROR) if where else ()
    wrong = [one.problem() for one in found if one.rule in WORDS and one.finding.where in where]
    if wrong:
        raise DeclarationError(wrong)


def _name(product: Product) -> str:
    return product.qualified_name


def _unpublished(product: Product, settings: Settings) -> tuple[Problem, ...]:
    """Return a warning for each exposure that reads what is not published."""
    from dataops_mesh.run.checks import dbt_nodes
    from dataops_mesh.transform.dbt.exposures import exposures_of
    from dataops_mesh.transform.walls import walls_of

    try:
        manifest, nodes = dbt_nodes(product, walls_of(settings))
    except DeclarationError:
        return ()
    return tuple(
        Problem(
            f"the {one} reads {', '.join(one.inner)}, which is not published",
            product.where,
            next="make it a port, or let the exposure depend on a port",
        )
        for one in exposures_of(product, manifest, nodes)
        if one.inner
    )


def _record_problems(product: Product, settings: Settings) -> tuple[Problem, ...]:
    from dataops_mesh.run.judged import require_own_record

    try:
        require_own_record(product, settings)
    except DeclarationError as error:
        return error.problems
    except OSError:  # a file that cannot be read is named by what needs it
        return ()
    return ()


def _dbt_problems(product: Product, settings: Settings) -> tuple[Problem, ...]:
    if product.transform.kind is not TransformKind.DBT:
        return ()
    from dataops_mesh.run.checks import all_checks
    from dataops_mesh.transform.walls import walls_of

    try:
        all_checks(product, walls_of(settings))
    except DeclarationError as error:
        return error.problems
    return ()
