"""What ``%energy_cluster`` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greennb.views.cluster import tasks_bundle

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

OFF = "No cluster is measured: %energy_cluster on measures the workers of the Dask client in use."


def answer(session: Session, state: str) -> None:
    """Begin, end, or say what is measured.

    Raises:
        BadInputError: there is no client, its cluster does not answer, or nothing has run on it yet.
    """
    cluster = session.cluster
    if state == "tasks":
        session.publish(tasks_bundle(cluster.tasks()))
        return
    if state == "on":
        cluster.begin()
    elif state == "off":
        cluster.end()
    session.publish({"text/plain": "\n".join(cluster.words) or OFF})
