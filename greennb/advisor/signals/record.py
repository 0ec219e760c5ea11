"""What was seen of a cell, as JSON: recorded on one machine, read on another, by the rules' tests above all."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any

from greennb.advisor.signals.cell import CellContext
from greennb.model.errors import BadInputError
from greennb.model.measurement import Measurement
from greennb.model.wire import measurement_from_dict, measurement_to_dict


def to_dict(cell: CellContext) -> dict[str, Any]:
    """``cell`` with its past, as plain JSON values; what has its default is left out."""
    return typing.cast("dict[str, Any]", _plain(cell))


def from_dict(data: Mapping[str, Any]) -> CellContext:
    """The cell that :func:`to_dict` wrote. Fields that this version does not know are left out.

    Raises:
        BadInputError: it is no such cell.
    """
    try:
        return typing.cast(CellContext, _made(CellContext, data))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"This is no recorded cell: {type(error).__name__} at {error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Measurement):
        return measurement_to_dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = ((part, getattr(value, part.name)) for part in dataclasses.fields(value))
        return {part.name: _plain(it) for part, it in parts if not _is_default(part, it)}
    if isinstance(value, Mapping):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(it) for it in value]
    return value


def _is_default(part: dataclasses.Field[Any], value: Any) -> bool:
    if part.default_factory is not dataclasses.MISSING:
        return bool(value == part.default_factory())
    return part.default is not dataclasses.MISSING and bool(value == part.default)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _made(kind: Any, data: Any) -> Any:
    """``data`` as an object of the annotated type ``kind``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if data is None or kind in (Any, object):
        return data
    if origin in (types.UnionType, typing.Union):
        return _made(next(it for it in inner if it is not type(None)), data)
    if origin is dict:
        return {key: _made(inner[1], it) for key, it in data.items()}
    if origin is tuple and inner[-1] is not Ellipsis:
        return tuple(_made(one, it) for one, it in zip(inner, data, strict=True))
    if origin is not None:  # tuple[T, ...] and Sequence[T]
        return tuple(_made(inner[0], it) for it in data)
    if kind is Measurement:
        return measurement_from_dict(data)
    if dataclasses.is_dataclass(kind):
        known = _hints(typing.cast(Any, kind))
        fields = {name: _made(known[name], it) for name, it in data.items() if name in known}
        return typing.cast("type[Any]", kind)(**fields)
    return float(data) if kind is float else data
