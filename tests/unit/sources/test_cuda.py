"""``CUDA_VISIBLE_DEVICES`` read as the CUDA driver reads it."""

import pytest

from greennb.sources.cuda import order_is_certain, visible

UUIDS = ("GPU-aaaa-1", "GPU-bbbb-2", "GPU-bbbb-3", None)
PARENTS = {"MIG-x": "GPU-bbbb-2", "MIG-y": "GPU-bbbb-2", "MIG-z": "GPU-gone"}


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        (None, (0, 1, 2, 3)),
        ("", ()),
        (" ", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("all", ()),
        ("0", (0,)),
        ("2,0", (2, 0)),
        (" 1 , 3 ", (1, 3)),
        ("0,4,1", (0,)),  # up to the first entry that is no device
        ("0,-1,1", (0,)),
        ("0,,1", (0,)),
        ("1x,2", (1, 2)),  # as C's strtol reads it
        ("+1", (1,)),
        ("1,1", ()),  # a device named twice voids the list
        ("10", ()),
        ("GPU-aaaa-1", (0,)),
        ("GPU-a,GPU-bbbb-3", (0, 2)),
        ("GPU-bbbb", ()),  # two boards begin so
        ("GPU-a,GPU-aaaa", ()),
        ("GPU-a,1", (0,)),  # all of the first entry's kind
        ("1,GPU-a", (1,)),
        ("gpu-aaaa-1", ()),
        ("MIG-x", (1,)),
        ("MIG-x,MIG-y", (1,)),
        ("MIG-nowhere", ()),
        ("MIG-z", ()),
        ("MIG-GPU-aaaa-1/3/0", (0,)),
        ("MIG-x,GPU-a", (1,)),
    ],
)
def test_each_spelling_selects_what_cuda_selects(text: str | None, positions: tuple[int, ...]) -> None:
    environ = {} if text is None else {"CUDA_VISIBLE_DEVICES": text}
    assert visible(environ, UUIDS, PARENTS.get).positions == positions


@pytest.mark.parametrize(("text", "by_index"), [("0", True), ("GPU-a", False), ("MIG-x", False)])
def test_it_is_known_whether_indexes_were_used(text: str, by_index: bool) -> None:
    assert visible({"CUDA_VISIBLE_DEVICES": text}, UUIDS, PARENTS.get).by_index is by_index


def test_the_order_is_certain_by_pci_bus_or_among_equal_models() -> None:
    assert order_is_certain({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ["A", "B"])
    assert order_is_certain({}, ["A", "A"])
    assert not order_is_certain({}, ["A", "B"])
    assert not order_is_certain({"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, ["A", "B"])
