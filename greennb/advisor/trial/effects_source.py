"""Effects that a cell's source shows: calls that write, send, start or ask, by name."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from typing import Any

from greennb.advisor.trial.mentions import parsed
from greennb.advisor.trial.reach import Reach, is_a

_WRITES, _NETWORK, _STARTS, _REMOTE = "writes a file", "uses the network", "starts a program", "logs to elsewhere"

_CALLS = {
    _WRITES: (
        "torch.save", "torch.jit.save", "torch.onnx.export", "torch.export.save", "torchvision.utils.save_image",
        "torchvision.io.write_png", "torchvision.io.write_jpeg", "numpy.save", "numpy.savez", "numpy.savez_compressed",
        "numpy.savetxt", "joblib.dump", "pickle.dump", "cloudpickle.dump", "dill.dump", "json.dump",
        "matplotlib.pyplot.savefig", "matplotlib.pyplot.imsave", "matplotlib.image.imsave", "imageio.imwrite",
        "imageio.mimsave", "cv2.imwrite", "scipy.io.savemat", "scipy.io.wavfile.write", "scipy.sparse.save_npz",
        "safetensors.torch.save_file", "keras.saving.save_model", "keras.models.save_model", "logging.FileHandler",
        "keras.callbacks.ModelCheckpoint", "keras.callbacks.TensorBoard", "keras.callbacks.CSVLogger",
        "keras.callbacks.BackupAndRestore", "torch.utils.tensorboard.SummaryWriter", "tensorboardX.SummaryWriter",
        "tensorflow.summary.create_file_writer", "tensorflow.saved_model.save", "tensorflow.train.Checkpoint.save",
        "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime",
    ),
    "removes files": ("os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree"),
    "moves files": ("os.rename", "os.renames", "os.replace", "shutil.move"),
    "copies files": ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.copyfileobj"),
    "packs or unpacks files": ("shutil.make_archive", "shutil.unpack_archive"),
    "makes a folder": ("os.mkdir", "os.makedirs"),
    _NETWORK: (
        "requests", "httpx", "aiohttp", "urllib.request", "urllib3", "http.client", "socket", "ftplib", "smtplib",
        "paramiko", "boto3", "websocket", "websockets", "torch.distributed.init_process_group", "wget",
    ),
    _STARTS: (
        "subprocess", "os.system", "os.popen", "os.fork", "os.execv", "os.execl", "os.execvp", "os.spawnv", "os.spawnl",
        "os.posix_spawn", "pty.spawn", "multiprocessing.Process", "multiprocessing.Pool", "multiprocessing.pool.Pool",
        "torch.multiprocessing.spawn", "torch.multiprocessing.Process", "torch.multiprocessing.Pool",
        "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor",
    ),
    "starts a thread": ("threading.Thread", "threading.Timer", "_thread.start_new_thread"),
    _REMOTE: ("wandb", "mlflow", "neptune", "comet_ml", "clearml", "trackio", "aim", "dvclive", "swanlab"),
    "opens a database": ("sqlite3.connect", "psycopg2.connect", "psycopg.connect", "pymysql.connect", "duckdb.connect"),
    "asks for input": ("input", "getpass.getpass", "builtins.input"),
    "ends or signals a process": (
        "exit", "quit", "sys.exit", "os._exit", "os.abort", "os.kill", "signal.raise_signal", "builtins.exit",
    ),
    "leaves something to be done later": ("atexit.register",),
    "loads a module again": ("importlib.reload",),
    "opens a page": ("webbrowser.open",),
    "uses IPython itself": ("get_ipython",),
}  # fmt: skip
"""Calls by their dotted names; a name without a call in it (a module) stands for all that is in it."""

_METHODS = {
    _WRITES: (
        "write_text", "write_bytes", "touch", "savefig", "to_csv", "to_parquet", "to_excel", "to_pickle", "to_hdf",
        "to_feather", "to_orc", "to_stata", "to_netcdf", "to_zarr", "save_weights", "save_pretrained", "save_to_disk",
        "save_model", "write_csv", "write_parquet", "write_ipc", "tofile", "write_html", "write_image", "save_file",
    ),
    "writes to a database": ("to_sql", "to_gbq"),
    "makes a folder": ("mkdir",),
    "removes files": ("unlink", "rmdir"),
    _NETWORK: ("push_to_hub", "upload_file", "upload_folder"),
}  # fmt: skip
"""Methods by name, of whatever object that is not of the notebook's own class."""

_OPENERS = frozenset((
    "open", "io.open", "_io.open", "builtins.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open",
    "tarfile.open", "zipfile.ZipFile", "h5py.File", "numpy.memmap", "os.fdopen", "IPython.core.interactiveshell.open",
))  # fmt: skip
"""Whether they write is said by their mode."""

_DEFAULT_MODES = {"h5py.File": "r", "numpy.memmap": "r+"}

_FRAMEWORK_CALLS = frozenset(("forward", "call", "training_step", "fit", "transform", "predict", "step"))
"""Methods that frameworks call by themselves."""

_HARMLESS_MAGICS = frozenset((
    "time", "timeit", "capture", "matplotlib", "config", "load_ext", "reload_ext", "autoreload", "prun", "memit",
    "lprun", "precision", "pylab", "pprint", "xmode", "colors", "who", "whos", "pinfo", "pwd", "history", "lsmagic",
))  # fmt: skip
_MAGIC = re.compile(r"^\s*(?:[\w.,\s\[\]]+=\s*)?(?P<mark>!|%{1,2})(?P<name>\w*)")


def first_effect(code: str, namespace: dict[str, Any]) -> str | None:
    """In words, the first effect that the source shows ("line 7 writes a file (torch.save)"); None where there is none.

    Looks into the notebook's functions that the source reaches, and into methods that it mentions.

    Raises:
        RefusedError: the source is neither Python nor Python with magics.
    """
    code, magic = _without_magics(code)
    if magic is not None:
        return magic
    tree = parsed(code)
    names = _Names(namespace)
    names.learn(tree)
    for line, words in _effects(tree, names, top=True):
        return f"line {line} {words}"
    mentioned = {it.attr for it in ast.walk(tree) if isinstance(it, ast.Attribute)}
    reach = Reach.of(namespace, code)
    functions = [it for it in reach.functions if reach.space_of(it) is not None]
    for function in functions:
        mentioned.update(function.__code__.co_names)
    for function in functions:
        name = function.__name__
        is_method = "." in function.__qualname__ and "<locals>" not in function.__qualname__
        dunder = name.startswith("__") and name.endswith("__")
        if is_method and not dunder and name not in mentioned and name not in _FRAMEWORK_CALLS:
            continue
        found = _tree_of(function)
        for line, words in _effects(found, names, top=False) if found is not None else ():
            return f"line {line} of {name}() {words}"
    return None


class _Names:
    """What names in a source mean: by its imports, and by the notebook's objects."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._imported: dict[str, str] = {}

    def learn(self, tree: ast.AST) -> None:
        """Read the imports in a source."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self._imported[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def dotted(self, node: ast.expr) -> str | None:
        """``np.save`` as "numpy.save"; None for what is no module's."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        root = self._imported.get(node.id) or self._meaning(node.id)
        return None if root is None else ".".join((root, *reversed(parts)))

    def _meaning(self, name: str) -> str | None:
        """The full name of a module, function or class that a name is bound to; the name itself for a builtin."""
        if name not in self._namespace:
            return name
        thing = self._namespace[name]
        if is_a(thing, types.ModuleType):
            return str(types.ModuleType.__getattribute__(thing, "__name__"))
        if name in ("get_ipython", "exit", "quit", "input", "open"):
            return name  # IPython's own
        if Reach(self._namespace).is_own(type(thing)) or not callable(thing):
            return None
        owner, called = (getattr(thing, it, None) for it in ("__module__", "__name__"))
        if (type(thing) is types.FunctionType and thing.__globals__ is self._namespace) or not isinstance(called, str):
            return None
        return f"{owner}.{called}" if isinstance(owner, str) and owner != "builtins" else called

    def is_own(self, node: ast.expr) -> bool:
        """Whether a name is an object of a class of the notebook's."""
        if not isinstance(node, ast.Name) or node.id not in self._namespace:
            return False
        return Reach(self._namespace).is_own(type(self._namespace[node.id]))


def _effects(tree: ast.AST, names: _Names, *, top: bool) -> Iterator[tuple[int, str]]:
    """Lines with what they do, in the order of the source."""
    found = [
        (node.lineno, words)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for words in (_of_call(node, names),)
        if words is not None
    ]
    if top:
        found += [(line, "awaits something") for line in _awaits(tree)]
    yield from sorted(found)


def _of_call(call: ast.Call, names: _Names) -> str | None:
    dotted = names.dotted(call.func)
    if dotted is not None:
        dotted = dotted.replace("tensorflow.keras.", "keras.").replace("keras.src.", "keras.")
        if dotted in _OPENERS:
            return f"{_WRITES} ({_short(call.func)})" if _writes(call, _DEFAULT_MODES.get(dotted, "r")) else None
        for words, calls in _CALLS.items():
            if dotted in calls or any(dotted.startswith(f"{it}.") for it in calls if _is_module(it)):
                return f"{words} ({_short(call.func)})"
    if isinstance(call.func, ast.Attribute) and not names.is_own(call.func.value):
        return _of_method(call.func, call)
    return None


def _of_method(method: ast.Attribute, call: ast.Call) -> str | None:
    for words, methods in _METHODS.items():
        if method.attr in methods:
            if method.attr.startswith("to_") and not call.args and not call.keywords:
                return None  # without a path pandas gives text
            return f"{words} (.{method.attr})"
    if method.attr in ("save", "export") and (call.args or call.keywords):
        return f"{_WRITES} (.{method.attr})"
    if method.attr == "open" and call.args and _writes(call, "r", place=0):
        return f"{_WRITES} (.open)"
    return None


def _is_module(name: str) -> bool:
    """Whether one of the names above stands for all that is in it: those without a dot, and two with one."""
    return ("." not in name and name not in ("input", "exit", "quit", "get_ipython")) or name in (
        "urllib.request",
        "http.client",
    )


def _writes(call: ast.Call, default: str, place: int = 1) -> bool:
    """Whether a mode says so; one that is not written down is left to the audit hook."""
    mode = next((it.value for it in call.keywords if it.arg == "mode"), None)
    if mode is None and len(call.args) > place:
        mode = call.args[place]
    if mode is None:
        return default != "r"
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and not set(mode.value).isdisjoint("wax+")


def _awaits(tree: ast.AST) -> Iterator[int]:
    """Lines that await outside of any function."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))


def _tree_of(function: types.FunctionType) -> ast.AST | None:
    """A function's tree with the line numbers of its cell; None where its source is not known."""
    try:
        lines, first = inspect.getsourcelines(function.__code__)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return None
    return ast.increment_lineno(tree, max(0, first - 1))


def _short(node: ast.expr) -> str:
    return ast.unparse(node)[:60]


def _without_magics(code: str) -> tuple[str, str | None]:
    """The source with IPython's own lines made blank, and the first effect among those."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        pass
    else:
        return code, None
    lines = code.split("\n")
    for index, line in enumerate(lines):
        match = _MAGIC.match(line)
        if match is None:
            continue
        name = match["name"]
        if match["mark"] == "!":
            return code, f"line {index + 1} starts a program (!{name})"
        if name not in _HARMLESS_MAGICS and not name.startswith("energy"):
            return code, f"line {index + 1} runs a magic (%{name})"
        lines[index] = line[: len(line) - len(line.lstrip())] + "pass" if line[:1].isspace() else ""
    return "\n".join(lines), None
