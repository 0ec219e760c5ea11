"""SHA-256 of everything that was reached, piece by piece, each piece under words that say which it is."""

from __future__ import annotations

import ctypes
import functools
import gc
import hashlib
import marshal
import pickle
import random
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from greennb.advisor.trial.reach import LEADS_OUT, PLAIN, Reach, class_dict, contents, is_a, library, module_of, own

MOST_PIECES = 100_000
"""Pieces with words of their own; those beyond are told by the name alone that leads to them. It bounds the memory."""

WHOLE_B = 1_000_000_000
"""Bytes of data that are read in full, in all; and ``PIECE_B`` of one piece. What is beyond is sampled."""

PIECE_B = 256_000_000
BLOCK_B = 4096
EVERY = 16
"""Of sampled data every sixteenth block of this size is read: a page of memory, so that a GB costs that of 64 MB."""

CHUNK_B = 1 << 24
"""Read at once; what lies on a card is brought over in such pieces."""

_INLINE = ("_parameters", "_buffers", "_modules")
"""Where a module of PyTorch keeps its parts; they are told as the user knows them."""


class _Piece(NamedTuple):
    thing: Any
    name: str
    word: str
    path: str

    @property
    def words(self) -> str:
        return f"{self.name}: {self.word} {self.path.lstrip('.')}".replace(":  ", ": ") if self.path else self.name


class Digests:
    """Digests of a reach's objects.

    Attributes:
        values: by the words for each piece.
    """

    def __init__(self, reach: Reach) -> None:
        self.values: dict[str, bytes] = {}
        self._reach = reach
        self._seen: set[int] = set()
        self._memories: set[tuple[str, int]] = set()
        self._classes = {id(it) for it in reach.classes}
        self._tensors: dict[int, str] = {}
        self._read_b = 0
        self._made: list[Any] = []
        self._todo: list[_Piece] = []

    @classmethod
    def of(cls, reach: Reach) -> Digests:
        """Everything that is reached."""
        self = cls(reach)
        # Modules first: what an optimizer or a loader has in common with them is told by their names.
        module = library("torch", "nn", "Module")
        for name, value in sorted(reach.names.items(), key=lambda it: not is_a(it[1], module)):
            self._follow(_Piece(value, name, "", ""))
        for owner in reach.classes:
            self._follow(_Piece(owner, type.__dict__["__name__"].__get__(owner), "", ""))
        self._made.clear()
        self._seen.clear()
        return self

    def _follow(self, root: _Piece) -> None:
        self._todo.append(root)
        while self._todo:
            piece = self._todo.pop()
            if id(piece.thing) in self._seen:
                continue
            if type(piece.thing) not in PLAIN:
                self._seen.add(id(piece.thing))
            digest = hashlib.sha256()
            for token in self._tokens(piece):
                digest.update(token)
            self._note(piece, digest.digest())

    def _note(self, piece: _Piece, digest: bytes) -> None:
        words = piece.words if len(self.values) < MOST_PIECES else piece.name
        before = self.values.get(words)
        self.values[words] = digest if before is None else hashlib.sha256(before + digest).digest()

    def _tokens(self, piece: _Piece) -> Iterator[Any]:
        thing = piece.thing
        yield _token(type(thing)) if type(thing) not in PLAIN else _token(thing)
        if type(thing) in PLAIN:
            return
        yield from _how(type(thing))(self, piece)

    def _part(self, piece: _Piece, value: Any, step: str, word: str | None = None) -> bytes:
        """A token for a part, which is looked into later if it was reached."""
        if type(value) not in PLAIN and id(value) in self._reach.things:
            self._todo.append(
                piece._replace(thing=value, path=piece.path + step, word=piece.word if word is None else word)
            )
        return _token(value)

    def _of_dict(self, piece: _Piece) -> Iterator[bytes]:
        keys, values = list(dict.keys(piece.thing)), list(dict.values(piece.thing))
        if all(type(it) in PLAIN for it in (*keys, *values)):
            yield from (_bulk(keys), _bulk(values))
        else:
            for key, value in zip(keys, values, strict=True):
                yield self._part(piece, key, f"[key {self._key(key)}]")
                yield self._part(piece, value, f"[{self._key(key)}]")
        yield from self._of_attributes(piece)

    def _key(self, key: Any) -> str:
        if type(key) in PLAIN:
            return key[:60] if type(key) is str else repr(key)[:60]
        return self._tensors.get(id(key)) or f"a {type(key).__name__} {id(key):x}"

    def _of_sequence(self, piece: _Piece) -> Iterator[bytes]:
        base = next(it for it in (list, tuple, set, frozenset, deque) if is_a(piece.thing, it))
        items = list(base.__iter__(piece.thing))
        if all(type(it) in PLAIN for it in items):
            yield _bulk(items)
        else:
            for index, value in enumerate(items):
                yield self._part(piece, value, f"[{index}]")
        yield from self._of_attributes(piece)

    def _of_attributes(self, piece: _Piece) -> Iterator[bytes]:
        caches = _CACHES if module_of(type(piece.thing)).startswith("pandas") else ()
        for name, value in list((own(piece.thing) or {}).items()):
            if name not in caches:
                yield _token(name)
                yield self._part(piece, value, f".{name}")
        for cls in type.__dict__["__mro__"].__get__(type(piece.thing)):
            for name, slot in list(class_dict(cls).items()):
                if type(slot) is types.MemberDescriptorType:
                    try:
                        value = slot.__get__(piece.thing)
                    except (AttributeError, TypeError):
                        continue
                    yield self._part(piece, value, f".{name}")

    def _of_object(self, piece: _Piece) -> Iterator[bytes]:
        """Attributes, and what else the garbage collector sees; of an extension's own memory what it would pickle."""
        thing, kind = piece.thing, type(piece.thing)
        attributes = own(thing)
        referents = [it for it in gc.get_referents(thing) if it is not kind and it is not attributes]
        for index, value in enumerate(referents):
            yield self._part(piece, value, f"<{index}>")
        yield from self._of_attributes(piece)  # last: what is to be done last is done first, under these better words
        heap = bool(type.__dict__["__flags__"].__get__(kind) & _HEAP_TYPE)
        if not heap and module_of(kind).startswith(_PICKLED):
            yield from _pickled(thing)

    def _of_module(self, piece: _Piece) -> Iterator[bytes]:
        """A module of PyTorch: parameters, buffers and modules by their dotted names."""
        attributes = own(piece.thing) or {}
        for where, word in zip(_INLINE, ("parameter", "buffer", ""), strict=True):
            for name, value in list((attributes.get(where) or {}).items()):
                yield _token(name)
                yield self._part(piece, value, f".{name}", word)
        for name, value in list(attributes.items()):
            if name not in _INLINE or type(value) not in (dict, OrderedDict):
                yield _token(name)
                yield self._part(piece, value, f".{name}")

    def _of_script(self, piece: _Piece) -> Iterator[bytes]:
        """A scripted module: its tensors lie in C++."""
        for name, tensor in (*piece.thing.named_parameters(), *piece.thing.named_buffers()):
            yield _token(name)
            yield from self._of_tensor(piece._replace(thing=tensor))

    def _of_tensor(self, piece: _Piece) -> Iterator[Any]:
        tensor = piece.thing
        yield repr(
            (tensor.dtype, tuple(tensor.shape), str(tensor.device), tensor.requires_grad, tensor.layout)
        ).encode()
        self._tensors[id(tensor)] = piece.path.lstrip(".")
        yield str(version(tensor)).encode()
        if tensor.is_leaf and tensor.grad is not None:
            self._part(piece, tensor.grad, "", f"gradient of {piece.word}".rstrip())
            yield b"gradient"
        for name in ("_backward_hooks", "_post_accumulate_grad_hooks"):
            yield self._part(piece, getattr(tensor, name, None), f".{name}")
        yield from self._of_attributes(piece)
        if tensor.is_sparse:
            yield from (_token(None), *self._of_storage(tensor._indices()), *self._of_storage(tensor._values()))
        else:
            yield from self._of_storage(tensor)

    def _of_storage(self, tensor: Any) -> Iterator[Any]:
        """The memory behind a tensor, once: views share it."""
        try:
            yield repr((tensor.stride(), tensor.storage_offset())).encode()
            storage = tensor.untyped_storage()
            size_b, address = int(storage.nbytes()), int(storage.data_ptr())
        except (RuntimeError, NotImplementedError):  # meta and fake tensors, and those of other layouts, have no memory
            return
        if not address or not size_b or (str(storage.device), address) in self._memories:
            return
        self._memories.add((str(storage.device), address))
        if storage.device.type == "cpu":
            yield from self._memory(memoryview((ctypes.c_char * size_b).from_address(address)).cast("B"))
            return
        torch = library("torch")
        flat = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)
        for start, end in self._spans(size_b):
            part = flat[start:end].cpu()
            yield bytes((ctypes.c_char * (end - start)).from_address(part.data_ptr()))

    def _of_array(self, piece: _Piece) -> Iterator[Any]:
        np = library("numpy")
        array = np.ndarray.view(piece.thing, np.ndarray)
        yield repr((array.dtype.str, array.shape, array.strides, array.flags.writeable, array.dtype.names)).encode()
        yield from self._of_attributes(piece)
        if array.dtype.hasobject:
            if array.dtype.kind == "O":
                items = array.ravel().tolist()
                self._made.append(items)
                if all(type(it) in PLAIN for it in items):
                    yield _bulk(items)
                else:
                    for index, value in enumerate(items):
                        yield self._part(piece, value, f"[{index}]")
            return
        if array.flags.c_contiguous or array.flags.f_contiguous:
            if array.nbytes:
                buffer = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
                yield from self._memory(memoryview(buffer).cast("B"))
            return
        for row in array if array.ndim else ():
            yield from self._memory(memoryview(row.tobytes()))

    def _of_bytes(self, piece: _Piece) -> Iterator[Any]:
        yield bytes(memoryview(piece.thing))
        yield from self._of_attributes(piece)

    def _memory(self, memory: memoryview) -> Iterator[Any]:
        for start, end in self._spans(len(memory)):
            yield memory[start:end]

    def _spans(self, size_b: int) -> Iterator[tuple[int, int]]:
        """Which parts of so many bytes are read."""
        whole = size_b <= PIECE_B and self._read_b < WHOLE_B
        self._read_b += size_b if whole else size_b // EVERY
        if whole or size_b <= EVERY * BLOCK_B:
            yield from ((at, min(size_b, at + CHUNK_B)) for at in range(0, size_b, CHUNK_B))
            return
        yield from ((at, at + BLOCK_B) for at in range(0, size_b - BLOCK_B, EVERY * BLOCK_B))
        yield size_b - BLOCK_B, size_b

    def _of_function(self, piece: _Piece) -> Iterator[bytes]:
        function = piece.thing
        yield _token(function.__code__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            yield self._part(piece, contents(cell), f".{name}", "what it holds,")
        for index, value in enumerate(function.__defaults__ or ()):
            yield self._part(piece, value, f".{index}", "default")
        for name, value in (*(function.__kwdefaults__ or {}).items(), *function.__dict__.items()):
            yield _token(name)
            yield self._part(piece, value, f".{name}")

    def _of_class(self, piece: _Piece) -> Iterator[bytes]:
        if id(piece.thing) not in self._classes:
            return
        for name, value in list(class_dict(piece.thing).items()):
            if name not in _CHANGING:
                yield _token(name)
                yield self._part(piece, value, f".{name}", "class attribute")

    def _of_cached(self, piece: _Piece) -> Iterator[bytes]:
        yield repr(functools._lru_cache_wrapper.cache_info(piece.thing)).encode()
        yield from self._of_attributes(piece)

    def _of_generator(self, piece: _Piece) -> Iterator[Any]:
        yield from self._of_storage(piece.thing.get_state())
        yield bytes(piece.thing.get_state().tolist())

    def _of_tensorflow(self, piece: _Piece) -> Iterator[Any]:
        """The values of a variable or an eager tensor; of anything else there its identity."""
        if is_a(piece.thing, library("tensorflow", "Variable")) or is_a(piece.thing, library("tensorflow", "Tensor")):
            try:
                value = piece.thing.numpy()
            except Exception:  # noqa: BLE001  # symbolic, or of a dtype without arrays
                return
            if hasattr(value, "tobytes"):
                yield value.tobytes()

    def _of_weight(self, piece: _Piece) -> Iterator[Any]:
        """A variable of Keras, by the path that Keras gives it."""
        attributes = own(piece.thing) or {}
        path = attributes.get("_path")
        for name, value in list(attributes.items()):
            yield _token(name)
            if name == "_value" and type(path) is str:
                yield self._part(piece._replace(path=""), value, f".{path}", "weight")
            else:
                yield self._part(piece, value, f".{name}")

    def _of_dice(self, piece: _Piece) -> Iterator[bytes]:
        yield repr(random.Random.getstate(piece.thing)).encode()
        yield from self._of_attributes(piece)

    def _of_nothing(self, _piece: _Piece) -> Iterator[bytes]:
        return iter(())


_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: made by a ``class`` statement (or by an extension in the same way)."""

_CHANGING = frozenset(
    ("__slotnames__", "__dict__", "__weakref__", "__doc__", "_abc_impl", "__abstractmethods__", "__annotations__")
)
"""Of a class: Python's own, some of which change by looking, or by copying an object (``copyreg`` keeps slots)."""

_CACHES = ("_cache", "_item_cache", "_cacher")
"""Of a frame or an index of pandas: filled by looking."""

_PICKLED = ("numpy.random", "sklearn.", "scipy.")
"""Libraries whose extension types keep what matters in memory of their own: trees, generators."""

_KINDS: tuple[tuple[Any, Any], ...] = (
    (types.ModuleType, Digests._of_nothing), (type, Digests._of_class), (types.FunctionType, Digests._of_function),
    (weakref.ref, Digests._of_nothing), (types.FrameType, Digests._of_nothing),
    (("pandas._libs.internals", "BlockValuesRefs"), Digests._of_nothing),  # who else looks at the same memory
    (functools._lru_cache_wrapper, Digests._of_cached), (random.Random, Digests._of_dice),
    (("torch", "Tensor"), Digests._of_tensor), (("torch", "Generator"), Digests._of_generator),
    (("torch.jit", "ScriptModule"), Digests._of_script), (("torch", "nn", "Module"), Digests._of_module),
    (("keras.src.backend.common.variables", "Variable"), Digests._of_weight),
    (("tensorflow", "Variable"), Digests._of_tensorflow), (("tensorflow", "Tensor"), Digests._of_tensorflow),
    (("numpy", "ndarray"), Digests._of_array), (bytearray, Digests._of_bytes), (bytes, Digests._of_bytes),
    (dict, Digests._of_dict), (list, Digests._of_sequence), (tuple, Digests._of_sequence),
    (set, Digests._of_sequence), (frozenset, Digests._of_sequence), (deque, Digests._of_sequence),
)  # fmt: skip
"""How what is looked into; the first that fits."""


def _how(kind: type) -> Any:
    """How objects of a type are looked into."""
    mro = type.__dict__["__mro__"].__get__(kind)
    for wanted, tokens in _KINDS:
        if (wanted if isinstance(wanted, type) else library(*wanted)) in mro:
            return tokens
    return Digests._of_nothing if module_of(kind).startswith(LEADS_OUT) else Digests._of_object


def version(tensor: Any) -> int | None:
    """How often a tensor was written to; None for one made in inference mode, which keeps no account."""
    try:
        return int(tensor._version)
    except RuntimeError:
        return None


def _pickled(thing: Any) -> Iterator[bytes]:
    """What a library's extension type would pickle."""
    try:
        yield pickle.dumps(thing, 4)
    except Exception:  # noqa: BLE001  # then its identity is all there is
        return


def _token(value: Any) -> bytes:
    """A plain value itself, of anything else which object it is.

    Version 2 of marshal knows neither references nor interned strings, both of which come and go.
    """
    if type(value) in PLAIN and type(value) not in (types.CodeType, range):
        try:
            return marshal.dumps(value, 2)
        except ValueError:
            pass
    return f"@{id(value)}".encode()


def _bulk(items: Iterable[Any]) -> bytes:
    """Plain values at once."""
    try:
        return hashlib.sha256(marshal.dumps(list(items), 2)).digest()
    except ValueError:
        return b"".join(_token(it) for it in items)
