"""What is wrong with a recipe, in one line: the key as it was written, and what would be right."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_VERDICTS = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
    "union_tag_not_found": "needs a name",
}


def complaint(error: ValidationError, content: Mapping[str, Any], root: type[BaseModel]) -> str:
    """The first thing that is wrong, and how many more there are."""
    first, *others = error.errors()
    more = f" (and {len(others)} more)" if others else ""
    return f"{_key(first['loc'], content)}: {_verdict(first, root)}{more}"


def _verdict(error: ErrorDetails, root: type[BaseModel]) -> str:
    kind, location = error["type"], error["loc"]
    if kind == "extra_forbidden":
        names = _keys_at(root, location[:-1])
        return f"{_VERDICTS[kind]}; {suggestion(str(location[-1]), names)}"
    if kind == "union_tag_invalid":
        context = error.get("ctx", {})
        names = [name.strip(" '") for name in context["expected_tags"].split(",")]
        return f"no loss is called {context['tag']!r}; {suggestion(context['tag'], names)}"
    if kind in _VERDICTS:
        return _VERDICTS[kind]
    message = error["msg"].removeprefix("Value error, ")
    given = error["input"]
    plain = isinstance(given, str | int | float) and kind != "value_error"
    message = message[0].lower() + message[1:] if kind != "value_error" else message
    return f"{message}, not {given!r}" if plain else message


def suggestion(name: str, names: Sequence[str]) -> str:
    """What was meant, if a name is near; else which names there are."""
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


def _key(location: Sequence[int | str], content: Mapping[str, Any]) -> str:
    """The path as a user would write it: phases by name, and shared keys where they stand."""
    path: list[str] = []
    place: Any = content
    steps = list(location)
    if steps[:1] == ["phases"] and len(steps) > 2:
        phase = _at(_at(content, "phases"), steps[1])
        if steps[2] in content and steps[2] not in (phase or {}):
            steps = steps[2:]
    for number, step in enumerate(steps):
        inner = _at(place, step)
        if inner is None and isinstance(place, Mapping) and place.get("name") == step:
            continue  # the name of a loss, which is no key
        known = isinstance(inner, Mapping) and isinstance(inner.get("name"), str)
        by_name = known and isinstance(step, int) and number < len(steps) - 1
        path.append(inner["name"] if by_name else str(step))
        place = inner
    return ".".join(path) or "the whole"


def _at(place: Any, step: int | str) -> Any:
    try:
        return place[step]
    except (KeyError, IndexError, TypeError):
        return None


def _keys_at(model: Any, location: Sequence[int | str]) -> list[str]:
    """The keys that the section at a place of the schema knows."""
    models = [model]
    for step in location:
        inner = []
        for one in models:
            if isinstance(step, int):
                inner.append(one)
            elif step in one.model_fields:
                inner += _models_in(one.model_fields[step].annotation)
            elif step in get_args(_annotation_of_name(one)):
                inner.append(one)
        models = inner
    return [key for one in models for key in one.model_fields]


def _annotation_of_name(model: type[BaseModel]) -> Any:
    field = model.model_fields.get("name")
    return field.annotation if field else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, tuple, types.UnionType):
        return [model for inner in get_args(annotation) for model in _models_in(inner)]
    return []
