"""What Presidio finds in texts: names, places, and kinds that an organisation describes itself.

Which recognizers and which language model it uses stands in a file of Presidio's own; nothing of
it is ours. What cannot look is an error, for it has not found nothing. docs/policies.md.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dataops_mesh.errors import Location, Problem, SettingsError

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

SETTING = "tool.dataops_mesh.presidio"
EXTRA = "pip install 'dataops-mesh[presidio]'"
Finder = Callable[[Sequence[str]], Counter[str]]


def presidio_problems(file: Path) -> tuple[Problem, ...]:
    """Return why Presidio cannot look, as far as that is seen without loading it."""
    return tuple(_problems(file))


def finder(file: Path) -> Finder:
    """Return what tells of how many texts Presidio finds each of its entities in.

    Args:
        file: the configuration of Presidio's `AnalyzerEngineProvider`.

    Raises:
        SettingsError: it is not installed, or cannot be made of this file.
    """
    if problems := presidio_problems(file):
        raise SettingsError(problems)
    return _finder(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _finder(file: Path, _changed: int) -> Finder:
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            engine = _engine(file)
    except (Exception, SystemExit) as error:
        what = f"Presidio cannot be made of this file: {type(error).__name__}: {error}"
        raise SettingsError(
            _wrong(file, what, "correct it as Presidio's documentation says")
        ) from error
    return lambda texts: _entities(engine, texts)


def _engine(file: Path) -> AnalyzerEngine:
    from presidio_analyzer import AnalyzerEngineProvider

    return AnalyzerEngineProvider(analyzer_engine_conf_file=file).create_engine()


def _entities(engine: AnalyzerEngine, texts: Sequence[str]) -> Counter[str]:
    from presidio_analyzer import BatchAnalyzerEngine

    batch, found = BatchAnalyzerEngine(engine), [set[str]() for _ in texts]
    for language in engine.supported_languages:
        for kinds, results in zip(found, batch.analyze_iterator(texts, language), strict=True):
            kinds.update(one.entity_type for one in results)
    return Counter(kind for kinds in found for kind in sorted(kinds))


def _problems(file: Path) -> Iterator[Problem]:
    try:
        told = yaml.safe_load(file.read_text("utf-8-sig"))
    except OSError as error:
        yield _wrong(
            file, f"it cannot be read: {error.strerror}", "write it, or take the setting away"
        )
        return
    except (ValueError, yaml.YAMLError):  # Presidio would take its defaults then, and say nothing
        yield _wrong(file, "it is no YAML", "correct it as Presidio's documentation says")
        return
    if find_spec("presidio_analyzer") is None:
        yield _wrong(file, "Presidio is not installed", EXTRA)
        return
    for model in _models(told):
        if not _is_here(model):  # Presidio would ask the Internet for it
            then = "install it where the gate runs, or name a folder that holds one"
            yield _wrong(file, f'the language model "{model}" is not installed', then)


def _models(told: Any) -> Iterator[str]:
    """Yield spaCy's models that a configuration names, and its default where it names none."""
    nlp = told.get("nlp_configuration") if isinstance(told, Mapping) else None
    if not isinstance(nlp, Mapping):
        yield "en_core_web_lg"
        return
    for model in nlp.get("models") or ():
        name = model.get("model_name") if isinstance(model, Mapping) else None
        if isinstance(name, Mapping):
            name = name.get("spacy")
        if isinstance(name, str) and nlp.get("nlp_engine_name") != "stanza":
            yield name


def _is_here(model: str) -> bool:
    from spacy.util import is_package

    return is_package(model) or Path(model).exists()


def _wrong(file: Path, what: str, then: str) -> Problem:
    return Problem(f"{file.name}: {what}", Location(str(file), 1), key=SETTING, next=then)
