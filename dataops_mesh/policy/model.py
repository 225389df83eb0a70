"""A policy and what it finds, as data. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import Address, Mesh, OutputPort, Product, Severity

Options = Mapping[str, Any]
Ports = Mapping[Address, tuple[Product, OutputPort]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a declaration breaks a policy.

    Args:
        what: one sentence.
        where: the line to look at.
        key: the key inside the file.
        fix: the edit that mends it.
        broken: the rule itself could not be evaluated, so nobody knows: always an error, and no
            waiver covers it.
        remark: a warning at most, whatever the severity of the policy.
    """

    what: str
    where: Location
    key: str = ""
    fix: str = ""
    broken: bool = False
    remark: bool = False

    def weighed(self, severity: Severity) -> Severity:
        """Return how grave the finding of a policy of that severity is."""
        if self.broken:
            return Severity.ERROR
        return Severity.WARNING if self.remark and severity is Severity.ERROR else severity


@dataclass(frozen=True, slots=True)
class Origin:
    """A column that an input port promises, and its class.

    Args:
        said: how the class is known, where it is not that of the port as it is declared.
        fix: what mends that.
    """

    address: Address
    column: str
    classification: str
    said: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """What is known of the way of values through one product.

    Args:
        inputs: every classified column that it may read.
        clear: for (port, column), those whose values are still in it; absent where unknown.
        read: the ports that it reads of others, as they are declared; without those of nobody.
        stays: for (port, column), what is published of it already and is not built again.
        partly: for (port, column), those that are known to be in it where others may be.
        as_is: the (port, column) that are an input's column as it stands.
    """

    inputs: tuple[Origin, ...] = ()
    clear: Mapping[tuple[str, str], tuple[Origin, ...]] = field(default_factory=dict)
    read: Mapping[Address, OutputPort] = field(default_factory=dict)
    stays: Mapping[tuple[str, str], tuple[Origin, ...]] = field(default_factory=dict)
    partly: Mapping[tuple[str, str], tuple[Origin, ...]] = field(default_factory=dict)
    as_is: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a commit, as git has it."""

    name: str
    email: str
    commit: str
    day: date

    def is_called(self, name: str) -> bool:
        """Tell whether a name in a file is this person's: the e-mail, its first part, the name."""
        wanted = name.strip().casefold()
        known = {self.name, self.email, self.email.partition("@")[0]}
        return bool(wanted) and wanted in {one.casefold() for one in known}

    def __str__(self) -> str:
        """Return the name, the e-mail, and where it is said."""
        return f"{self.name} <{self.email}> in {self.commit[:12]}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word in a file, an approval or a waiver, and who committed it.

    Args:
        kind: `approval` or `waiver`.
        who: the name that the file says.
        day: the day that the file says, if it does.
        author: of the commit that touched it last; None while it is not committed.
        changed: the authors of what it is about: of the product's declaration.
    """

    kind: str
    who: str
    where: Location
    day: date | None = None
    author: Author | None = None
    changed: tuple[Author, ...] = ()


Flows = Callable[[Product], Flow]
Decisions = Callable[[Product], tuple[Decision, ...]]


def no_decisions(_product: Product) -> tuple[Decision, ...]:
    """Return that nobody asked git."""
    return ()


def no_flow(_product: Product) -> Flow:
    """Return that nothing is known."""
    return Flow()


# Expression, product, how to find the answer: the answer, which may have been found before.
Answers = Callable[[str, Product | None, Callable[[], str]], str]


def ask_anew(_text: str, _product: Product | None, ask: Callable[[], str]) -> str:
    """Find every answer, as wherever it counts."""
    return ask()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy may look at besides the product.

    Args:
        ports: those that are known here: at code-location load of the domain, in `mesh check` of
            the mesh.
        flows: tells what a product's columns are made of.
        decisions: tells who committed a product's approvals and waivers, where git was asked.
        tested: the workspace has tests.
        examples: the products that have examples beside them.
        answers: remembers what an expression said of the same content.
    """

    ports: Ports = field(default_factory=dict)
    flows: Flows = no_flow
    decisions: Decisions = no_decisions
    tested: bool = True
    examples: frozenset[str] = frozenset()
    answers: Answers = ask_anew

    @classmethod
    def of(
        cls, mesh: Mesh, flows: Flows = no_flow, decisions: Decisions = no_decisions
    ) -> Surroundings:
        """Return the surroundings of the products of a mesh."""
        ports = {o.address: (product, o) for product in mesh.products for o in product.outputs}
        return cls(ports, flows, decisions)


Check = Callable[[Product, Options, Surroundings], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Policy:
    """An executable rule about one product.

    Args:
        id: an identifier, unique among all policies; what waivers name.
        rationale: one sentence that tells a domain team why.
        check: a pure function that yields what breaks the rule.
        severity: what a violation means unless the policies file says otherwise: `error` refuses
            to load, to run and to pass `mesh check`; `warning` and `info` are told.
        options: the options that the policies file may set, with their defaults: tuples of texts
            and compiled patterns.
        keeps_severity: the file's `default` does not change the severity; naming the policy does.
        off: it holds only where the policies file names it.
    """

    id: str
    rationale: str
    check: Check
    severity: Severity = Severity.WARNING
    options: Options = field(default_factory=dict)
    keeps_severity: bool = False
    off: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A violation that is accepted for a time: who, why, until when, which rule and product.

    Args:
        until: the last day on which it holds.
    """

    rule: str
    product: str
    who: str
    why: str
    until: date
    where: Location

    def covers(self, violation: Violation) -> bool:
        """Tell whether this waiver is for that violation."""
        return (self.rule, self.product) == (violation.rule, violation.product)


@dataclass(frozen=True, slots=True)
class Violation:
    """A finding, of which product and rule, and how grave."""

    rule: str
    severity: Severity
    product: str
    finding: Finding
    rationale: str = ""

    def problem(self) -> Problem:
        """Return the violation as a problem: the rule and its reason belong to the sentence."""
        what = f"{self.finding.what} (policy {self.rule}: {self.rationale})"
        return Problem(what, self.finding.where, self.finding.key, next=self.finding.fix)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policies say of a mesh.

    Args:
        violations: what counts, in the order of the products.
        waived: what a valid waiver covers, with that waiver.
        expiring: waivers in use that end within thirty days.
        problems: what is wrong with the waivers: expired, of an unknown rule or product.
        unused: waivers that cover nothing any more.
    """

    violations: tuple[Violation, ...] = ()
    waived: tuple[tuple[Violation, Waiver], ...] = ()
    expiring: tuple[Waiver, ...] = ()
    problems: tuple[Problem, ...] = ()
    unused: tuple[Waiver, ...] = ()

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """Return what refuses: violations of severity error, and bad waivers."""
        return (*self.problems, *(v.problem() for v in self.of(Severity.ERROR)))

    def of(self, severity: Severity) -> tuple[Violation, ...]:
        """Return the violations of one severity."""
        return tuple(v for v in self.violations if v.severity is severity)
