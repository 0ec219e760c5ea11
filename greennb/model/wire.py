"""The wire: versioned JSON for the notebook's output, the ledger, files and the sidebar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.idle import IdleBasis, IdleOrigin
from greennb.model.lines import Lines
from greennb.model.measurement import SCHEMA, DomainEnergy, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method

MIME_TYPE = "application/vnd.greennb.energy+json"
"""MIME type of a measurement in a notebook's output."""

ADVICE_MIME_TYPE = "application/vnd.greennb.advice+json"
"""MIME type of the advisor's findings in a notebook's output."""

STREAM_TARGET = "greennb.stream"
"""Comm target on which a kernel sends samples to a page."""

ASK_TARGET = "greennb.ask"
"""Comm target on which a page asks and a kernel answers."""


def measurement_to_dict(measurement: Measurement) -> dict[str, Any]:
    """``measurement`` as JSON values: derived totals first, then the parts that they follow from."""
    window = measurement.window
    footprint = measurement.footprint
    return {
        "schema": measurement.schema,
        "id": window.id,
        "label": window.label,
        "cell_id": window.cell_id,
        "execution_count": window.execution_count,
        "parent_id": window.parent_id,
        "status": window.status.value,
        "started_at": window.started_at.isoformat(),
        "t0_ns": window.t0_ns,
        "t1_ns": window.t1_ns,
        "duration_s": window.duration_s,
        "host": measurement.host,
        "total_j": _number(measurement.total_j),
        "u_j": _number(measurement.u_j),
        "low_j": _number(measurement.low_j),
        "high_j": _number(measurement.high_j),
        "net_j": _number(measurement.net_j),
        **_optional(net_u_j=_number(measurement.net_u_j)),
        "process_j": _number(measurement.process_j),
        "mean_w": _number(measurement.mean_w),
        "method": None if measurement.method is None else measurement.method.value,
        "partial": measurement.partial,
        "domains": [_energy_to_dict(energy) for energy in measurement.energies],
        "faults": [_fault_to_dict(fault) for fault in measurement.faults],
        "co2e_g": _number(measurement.co2e_g),
        "pue": None if footprint is None else footprint.pue,
        "intensity": None if footprint is None else intensity_to_dict(footprint.intensity),
        "overhead_s": measurement.overhead_s,
        **({} if measurement.lines is None else {"lines": measurement.lines.to_dict()}),
    }


def measurement_from_dict(data: Mapping[str, Any]) -> Measurement:
    """The measurement that :func:`measurement_to_dict` wrote.

    Raises:
        BadInputError: the data is of a newer schema, or is not a measurement.
    """
    schema = data.get("schema")
    if not isinstance(schema, int):
        raise BadInputError("This is not a greennb measurement: it has no schema number.")
    if schema > SCHEMA:
        raise BadInputError(f"This measurement has schema {schema}, this greennb reads {SCHEMA} at most: upgrade it.")
    try:
        return _measurement(data)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"This is not a greennb measurement: {type(error).__name__} at {error}.") from error


def _measurement(data: Mapping[str, Any]) -> Measurement:
    energies = tuple(_energy_from_dict(part) for part in data["domains"])
    intensity = data.get("intensity")
    total_j = data.get("total_j")
    footprint = None
    if intensity is not None and total_j is not None:
        footprint = Footprint(energy_j=total_j, pue=data["pue"], intensity=_intensity_from_dict(intensity))
    return Measurement(
        schema=data["schema"],
        window=Window(
            id=data["id"],
            label=data["label"],
            cell_id=data["cell_id"],
            execution_count=data["execution_count"],
            parent_id=data["parent_id"],
            t0_ns=data["t0_ns"],
            t1_ns=data["t1_ns"],
            started_at=datetime.fromisoformat(data["started_at"]),
            status=Status(data["status"]),
        ),
        energies=energies,
        faults=tuple(_fault_from_dict(part) for part in data["faults"]),
        host=data["host"],
        overhead_s=data["overhead_s"],
        footprint=footprint,
        lines=None if data.get("lines") is None else Lines.from_dict(data["lines"]),
    )


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity: what is not a finite number is missing."""
    return value if value is not None and math.isfinite(value) else None


def _domain_to_dict(domain: Domain) -> dict[str, Any]:
    return {
        "kind": domain.kind.value,
        "host": domain.host,
        "device": domain.device,
        "label": domain.label,
        "inside": None if domain.inside is None else _domain_to_dict(domain.inside),
    }


def _domain_from_dict(data: Mapping[str, Any]) -> Domain:
    inside = data["inside"]
    return Domain(
        kind=DomainKind(data["kind"]),
        host=data["host"],
        device=data["device"],
        label=data["label"],
        inside=None if inside is None else _domain_from_dict(inside),
    )


def _energy_to_dict(energy: DomainEnergy) -> dict[str, Any]:
    return {
        **_domain_to_dict(energy.domain),
        "gross_j": energy.gross_j,
        "idle_j": energy.idle_j,
        "net_j": energy.net_j,
        "process_j": energy.process_j,
        "u_j": energy.u_j,
        "low_j": energy.low_j,
        "high_j": energy.high_j,
        "method": energy.method.value,
        "coverage": energy.coverage,
        **_optional(
            idle_u_j=energy.idle_u_j,
            net_u_j=energy.net_u_j,
            idle_basis=None if energy.idle_basis is None else _basis_to_dict(energy.idle_basis),
            process_note=energy.process_note or None,
        ),
    }


def _optional(**values: Any) -> dict[str, Any]:
    """Keys that schema 1 did not have from its beginning: written only where there is something to say."""
    return {key: value for key, value in values.items() if value is not None}


def _energy_from_dict(data: Mapping[str, Any]) -> DomainEnergy:
    return DomainEnergy(
        domain=_domain_from_dict(data),
        gross_j=data["gross_j"],
        idle_j=data["idle_j"],
        process_j=data["process_j"],
        u_j=data["u_j"],
        low_j=data["low_j"],
        high_j=data["high_j"],
        method=Method(data["method"]),
        coverage=data["coverage"],
        idle_u_j=data.get("idle_u_j"),
        idle_basis=None if data.get("idle_basis") is None else _basis_from_dict(data["idle_basis"]),
        process_note=data.get("process_note", ""),
    )


def _basis_to_dict(basis: IdleBasis) -> dict[str, Any]:
    return {
        "origin": basis.origin.value,
        "as_of": None if basis.as_of is None else basis.as_of.isoformat(),
        "over_s": basis.over_s,
        "busy": basis.busy,
    }


def _basis_from_dict(data: Mapping[str, Any]) -> IdleBasis:
    as_of = data["as_of"]
    return IdleBasis(
        origin=IdleOrigin(data["origin"]),
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
        over_s=data["over_s"],
        busy=data["busy"],
    )


def _fault_to_dict(fault: Fault) -> dict[str, Any]:
    return {
        "domain": None if fault.domain is None else _domain_to_dict(fault.domain),
        "t_ns": fault.t_ns,
        "reason": fault.reason,
        "hint": fault.hint,
    }


def _fault_from_dict(data: Mapping[str, Any]) -> Fault:
    domain = data["domain"]
    return Fault(
        domain=None if domain is None else _domain_from_dict(domain),
        t_ns=data["t_ns"],
        reason=data["reason"],
        hint=data["hint"],
    )


def intensity_to_dict(intensity: CarbonIntensity) -> dict[str, Any]:
    """An intensity as JSON values."""
    return {
        "g_per_kwh": intensity.g_per_kwh,
        "low": intensity.low,
        "high": intensity.high,
        "zone": intensity.zone,
        "origin": intensity.origin.value,
        "as_of": intensity.as_of,
        "provider": intensity.provider,
        "note": intensity.note,
    }


def _intensity_from_dict(data: Mapping[str, Any]) -> CarbonIntensity:
    return CarbonIntensity(
        g_per_kwh=data["g_per_kwh"],
        low=data["low"],
        high=data["high"],
        zone=data["zone"],
        origin=Origin(data["origin"]),
        as_of=data["as_of"],
        provider=data["provider"],
        note=data.get("note", ""),
    )
