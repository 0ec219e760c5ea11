"""Writes the reference of command line, magics and settings: ``python tools/reference.py [--check]``.

docs/reference/cli.md comes from the parsers, magics.md from the magics' docstrings and options, settings.md from
``greennb.settings``. ``--check`` writes nothing, names what differs, and ends with 1 if anything does; a pytest does
the same.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from greennb.cli.main import COMMANDS, make_parser  # noqa: E402
from greennb.jupyter.magics import make_magics  # noqa: E402
from greennb.jupyter.options import parser as options_of  # noqa: E402
from greennb.jupyter.settings import HELP  # noqa: E402
from greennb.settings import Settings  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
WRITTEN = "Written by `tools/reference.py` from {source}."
WIDTH = 84
"""Columns of a synopsis."""

_CLI = f"""\
# Command line

{WRITTEN.format(source="the parsers of `greennb`; `greennb COMMAND --help` says the same")}

| Command | What it does |
|---|---|
{{rows}}

`greennb --version` prints the version, `python -m greennb` is the same as `greennb`. Every command ends with 2 where
what was asked for cannot be done, and says so in one sentence on standard error; with 130 where it was interrupted.
"""

_MAGICS = f"""\
# Magics

{WRITTEN.format(source="the docstrings of the magics; `%energy_report?` shows one in a notebook")}

`%load_ext greennb` brings them. All end with a sentence, and no traceback, where a line cannot be understood.
"""

_SETTINGS = f"""\
# Settings

{WRITTEN.format(source="`greennb/settings.py`")}

Four ways to set one, the later ones stronger:

1. **Jupyter's configuration**, for every notebook of yours: `c.GreenNB.zone = "FRA"` in `ipython_kernel_config.py` (the
   folder that `ipython locate profile` names).
2. **The environment**, for a process and what it starts: `GREENNB_ZONE=FRA`.
3. **The notebook**, for this kernel: `%energy_config zone=FRA`; without arguments it shows what is in force.
4. **JupyterLab's settings editor**, under *greennb*: zone and PUE, for the kernels that the panel meets.

A value that cannot be used is said once and left out: a wrong variable keeps nobody from measuring.

| Setting | Environment | Default | Meaning |
|---|---|---|---|
{{rows}}
"""


def files() -> dict[str, str]:
    """Each page by its name, with its text."""
    return {"cli.md": _cli(), "magics.md": _magics(), "settings.md": _settings()}


def _cli() -> str:
    rows = "\n".join(f"| [`greennb {name}`](#greennb-{name}) | {_cell(what)} |" for name, what in COMMANDS.items())
    return "\n".join([_CLI.format(rows=rows), *(_command(name) for name in COMMANDS)])


def _command(name: str) -> str:
    parser = _parser(name)
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    about = [_paragraph(text) for text in (parser.description or "").split("\n\n")]
    parts = [f"## greennb {name}", _fence(_synopsis(parser.prog, actions), "text"), *about, _options(actions)]
    if parser.epilog:
        parts.append(_epilog(parser.epilog))
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    groups = [it for it in make_parser([name])._actions if isinstance(it, argparse._SubParsersAction)]
    found: argparse.ArgumentParser = groups[0].choices[name]
    return found


def _paragraph(text: str) -> str:
    """A paragraph of a description; one that is set in columns stays so."""
    return _fence(textwrap.dedent(text).strip("\n"), "text") if text.startswith("  ") else _words(text)


def _epilog(text: str) -> str:
    """Examples as code; what follows them as words."""
    head, *paragraphs = text.split("\n\n")
    title, _, code = head.partition(":")
    parts = [f"{title.strip().capitalize()}:", _fence(textwrap.dedent(code.strip("\n")).strip(), "sh")]
    return "\n\n".join([*parts, *map(_words, paragraphs)])


def _synopsis(prog: str, actions: Iterable[argparse.Action]) -> str:
    """How a command is written, positional arguments first."""
    ordered = sorted(actions, key=lambda action: bool(action.option_strings))
    words = [prog, *(_word(action) for action in ordered)]
    # A group in brackets stays on one line.
    joined = textwrap.wrap(
        " ".join(word.replace(" ", "\0") for word in words), WIDTH, subsequent_indent="    ", break_on_hyphens=False
    )
    return "\n".join(joined).replace("\0", " ")


def _word(action: argparse.Action) -> str:
    shown = f"{action.option_strings[-1]} {_value(action)}".rstrip() if action.option_strings else _value(action)
    return shown if action.required and action.nargs != "?" else f"[{shown}]"


def _value(action: argparse.Action) -> str:
    """What stands for an action's value: its metavar, its choices, or nothing for a switch."""
    if action.nargs == 0:
        return ""
    if action.choices:
        return "|".join(map(str, action.choices))
    return f"{action.metavar or action.dest}{' ...' if action.nargs in ('+', '*') else ''}"


def _options(actions: Iterable[argparse.Action]) -> str:
    rows = [f"| {_names(action)} | {_cell(_help(action))} |" for action in actions]
    return "\n".join(["| Option | Meaning |", "|---|---|", *rows]) if rows else ""


def _names(action: argparse.Action) -> str:
    value = _value(action).replace("|", "\\|")
    if not action.option_strings:
        return f"`{value}`"
    names = [*action.option_strings[:-1], f"{action.option_strings[-1]} {value}".rstrip()]
    return ", ".join(f"`{name}`" for name in names)


def _help(action: argparse.Action) -> str:
    """An action's help with its default in place, as argparse would write it."""
    return (action.help or "") % (vars(action) | {"prog": "greennb"}) if action.help else ""


def _magics() -> str:
    session: Any = SimpleNamespace(shell=None)
    magics = make_magics(session)
    names = [name for name, member in inspect.getmembers_static(type(magics)) if _is_magic(type(magics), name, member)]
    return "\n".join([_MAGICS, *(_magic(getattr(magics, name)) for name in _in_order(type(magics), names))])


def _is_magic(kind: type, name: str, member: object) -> bool:
    known = {it for table in kind.magics.values() for it in table}  # type: ignore[attr-defined]
    return name in known and callable(member)


def _in_order(kind: type, names: Sequence[str]) -> list[str]:
    """As they stand in the source: the ones that people meet first come first."""
    return sorted(names, key=list(vars(kind)).index)


def _magic(magic: Any) -> str:
    name = magic.__name__
    own = inspect.cleandoc((magic.__doc__ or "").partition("\nusage:")[0])
    heading = "## %%energy, %energy" if name == "energy" else f"## %{name}"
    parts = [heading, _prose(own)]
    if name == "energy":
        parts.append(_options(options_of("%%energy")._actions))
    return "\n\n".join(parts) + "\n"


def _prose(text: str) -> str:
    """A docstring as Markdown: literal blocks become code, a word that is a magic's call stays as it is typed."""
    parts = re.split(r"(?m)^(.*)::\n\n((?:    .*\n?|\n)+)", text.strip() + "\n")
    made = []
    for number, part in enumerate(parts):
        match number % 3:
            case 0:
                made.append(_signature(part))
            case 1:
                made.append(f"{part}:\n\n")
            case _:
                made.append(_fence(textwrap.dedent(part).strip("\n"), "python") + "\n\n")
    return "".join(made).strip()


def _signature(text: str) -> str:
    """A first sentence that ends in ": %energy_plot [LABEL]." has its call in code, and magics elsewhere too."""
    text = re.sub(r": (%[a-z_]+(?: [^\n]*?)?)(?=\.(?:\s|$)|,\s)", lambda found: f": `{found.group(1)}`", text, count=1)
    return _words(text)


def _words(text: str) -> str:
    """Text in which options and magics are set as code, where they are not yet."""
    return "".join(it if it.startswith("`") else _marked(it) for it in re.split(r"(``?[^`]+``?)", text))


def _marked(text: str) -> str:
    text = re.sub(r"(?<![\w`])(--?[a-zA-Z][\w-]*)", r"`\1`", text)
    return re.sub(r"(%%?energy\w*|%%(?:time|bash))", r"`\1`", text)


def _settings() -> str:
    return _SETTINGS.format(rows="\n".join(map(_setting, fields(Settings))))


def _setting(field: Any) -> str:
    default = field.default
    shown = ("on" if default else "off") if isinstance(default, bool) else str(default or (0 if default == 0 else ""))
    shown = f"`{shown}`" if shown else "empty"
    return f"| `{field.name}` | `GREENNB_{field.name.upper()}` | {shown} | {_cell(HELP[field.name])} |"


def _cell(text: str) -> str:
    """Text for a table's cell."""
    return _words(" ".join(text.split()).removesuffix(".")).replace("|", "\\|")


def _fence(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def main(words: Sequence[str]) -> int:
    """The command line."""
    written = files()
    if list(words) == ["--check"]:
        differ = [name for name, text in written.items() if _there(name) != text]
        for name in differ:
            print(f"docs/reference/{name} is not what the code says: run python tools/reference.py", file=sys.stderr)
        return 1 if differ else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{', '.join(written)} in {FOLDER.relative_to(ROOT)}")
    return 0


def _there(name: str) -> str:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
