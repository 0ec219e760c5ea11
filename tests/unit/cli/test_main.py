"""The command line as such: what it loads, its exit status, and where its output may go."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from greennb import __version__
from greennb.cli.files import write_text
from greennb.cli.main import COMMANDS, main
from greennb.cli.terminal import forgive, unicode_in
from greennb.model.errors import BadInputError


def greennb(*words, **environ):
    return subprocess.run(
        [sys.executable, "-m", "greennb", *words],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environ},
    )  # fmt: skip


def test_alone_it_prints_help_with_every_command(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown for name in COMMANDS)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"greennb {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(capsys, command):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: greennb {command}" in shown
    assert f"greennb {command}" in shown.partition("options:")[2]


@pytest.mark.parametrize("words", [["nonsense"], ["run"], ["run", "--nonsense", "x.ipynb"], ["diff", "a.json"]])
def test_what_argparse_refuses_ends_with_2(capsys, words):
    assert main(words) == 2
    assert "usage: greennb" in capsys.readouterr().err


def test_what_greennb_refuses_is_one_sentence_and_2(capsys):
    assert main(["run", "nowhere.ipynb"]) == 2
    assert capsys.readouterr().err == "greennb: There is no notebook nowhere.ipynb: check the path.\n"


def test_nothing_heavy_is_loaded_before_a_command_needs_it():
    """Help and bad input answer at once."""
    heavy = ["IPython", "nbclient", "nbformat", "jupyter_client", "codecarbon", "matplotlib", "pandas", "tqdm"]
    code = (
        "import sys; from greennb.cli.main import main; main(['gate', '--help']); "
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "[]\n"


def test_an_ascii_terminal_gets_ascii_and_no_traceback(make_run, saved):
    file = saved(make_run(), "run.json")
    done = greennb("diff", file, file, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "+/-" in done.stdout


def test_json_survives_an_ascii_terminal(make_run, saved):
    """A machine reads it: stand-ins would change what it says."""
    run = make_run()
    file = saved(run, "run.json")
    done = greennb("gate", file, "--budget", "1J", "--json", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "±" in json.loads(done.stdout)["checks"][0]["words"]


def test_what_an_encoding_lacks_is_replaced_and_the_rest_stays():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    assert not unicode_in(stream)
    forgive(stream)
    stream.write("1 ± 2 – 3 … 漢 é")
    stream.flush()
    assert raw.getvalue().decode("latin-1") == "1 ± 2 - 3 ... ? é"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_reader_that_goes_away_is_no_error(make_run, saved):
    """`greennb diff a b | head -1` prints one line, and nothing about pipes."""
    file = saved(make_run(), "run.json")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "greennb", "diff", file, file], stdout=out, stderr=subprocess.PIPE, timeout=60
        )
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_file_is_written_wholly_or_not_at_all(tmp_path):
    """And keeps its mode, its link, and nothing beside it."""
    target = tmp_path / "kept.json"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link.json").symlink_to(target)
    write_text(str(tmp_path / "link.json"), "new")
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    with pytest.raises(BadInputError, match="could not be written"):
        write_text(str(tmp_path / "no" / "folder.json"), "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json", "link.json"]


def test_a_device_is_written_to_and_not_replaced():
    write_text(os.devnull, "gone")
    assert not os.path.isfile(os.devnull)  # noqa: PTH113  # the device, by its name
