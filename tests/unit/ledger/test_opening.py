"""What the ledger does with a file that it cannot or must not write: one sentence, and the file as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from greennb.ledger import opening
from greennb.ledger.migrations import APPLICATION_ID, LATEST, MIGRATIONS, migrate, version
from greennb.ledger.store import Ledger
from greennb.model.errors import LedgerError
from tests.rig.measurements import energy, measurement

CELL = {"session_id": "s1", "notebook": "n.ipynb", "source": "x = 1", "kind": "cell"}
ROOT = Path(__file__).parents[3]


def written_by(ledger: Ledger, count: int = 1) -> None:
    for number in range(count):
        ledger.append(measurement(energy(), after_s=number), **CELL)
    assert ledger.flush(10)


@pytest.fixture
def filled(path, opened):
    """A closed ledger with one window."""
    ledger = opened(path)
    written_by(ledger)
    ledger.close()
    return path


def altered(path: Path, *statements: str) -> bytes:
    """The bytes of the ledger after ``statements``."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path.read_bytes()


def refused(path: Path, opened) -> str:
    """The sentence that writing to and reading of ``path`` give, after checking that it is said once."""
    said: list[str] = []
    ledger = opened(path, on_problem=said.append)
    written_by(ledger, 3)
    written_by(ledger, 2)
    assert ledger.lost == 5
    assert said == [ledger.problem]
    with pytest.raises(LedgerError) as error:
        ledger.rows()
    assert str(error.value) == ledger.problem
    ledger.close()
    return said[0]


def test_a_ledger_from_a_newer_version_is_refused_and_untouched(filled, opened):
    """Not a byte changes, and the sentence says what to do."""
    before = altered(filled, f"PRAGMA user_version = {LATEST + 1}")
    sentence = refused(filled, opened)
    assert f"version {LATEST + 1}" in sentence
    assert "upgrade greennb" in sentence
    assert filled.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough for a header" * 40, b"x"])
def test_a_damaged_ledger_is_said_and_untouched(path, content, opened):
    """It may still be mended by hand."""
    path.parent.mkdir()
    path.write_bytes(content)
    assert "damaged" in refused(path, opened)
    assert path.read_bytes() == content


def test_a_ledger_damaged_in_the_middle_is_said(filled, opened):
    """The header is sound and the table is not: the reader gets a sentence, not a traceback."""
    content = bytearray(filled.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    content[page:] = b"\xff" * (len(content) - page)
    filled.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be read"):
        opened(filled).rows()


def test_somebody_elses_sqlite_file_is_refused_and_untouched(path, opened):
    """A path typed wrong must not put our table into a browser's history."""
    path.parent.mkdir()
    before = altered(path, "CREATE TABLE theirs (x)")
    assert "not a greennb ledger" in refused(path, opened)
    assert path.read_bytes() == before


def test_a_folder_in_the_ledgers_place_is_said(path, opened):
    """Not a traceback."""
    path.mkdir(parents=True)
    ledger = opened(path)
    written_by(ledger)
    assert "cannot be written" in ledger.problem
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.rows()


def test_an_empty_file_becomes_a_ledger(path, opened):
    """That is what a kernel leaves that was killed while it made one."""
    path.parent.mkdir()
    path.touch()
    ledger = opened(path)
    assert ledger.rows() == []
    written_by(ledger)
    assert (len(ledger.rows()), ledger.problem) == (1, None)
    ledger.close()


def test_a_callback_that_raises_does_not_stop_the_ledger(path, opened):
    """It is somebody else's code."""
    path.parent.mkdir()
    path.write_bytes(b"x" * 2000)

    def fails(_sentence: str) -> None:
        raise RuntimeError

    ledger = opened(path, on_problem=fails)
    written_by(ledger, 2)
    assert ledger.lost == 2
    assert ledger.close()


FULL = """
import resource, sys
from pathlib import Path
from greennb.ledger.store import Ledger
from tests.rig.measurements import energy, measurement
CELL = dict(session_id="s", notebook="n.ipynb", source="x", kind="cell")
said = []
ledger = Ledger(Path(sys.argv[1]), on_problem=said.append)
ledger.append(measurement(energy()), **CELL)
assert ledger.flush(10) and ledger.problem is None
resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, resource.RLIM_INFINITY))  # no file may grow beyond: as a full disk
for _ in range(30):
    ledger.append(measurement(energy(), label="x" * 5000), **CELL)
assert ledger.flush(10)
assert len(said) == 1 and ledger.lost == 30, (said, ledger.lost)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.append(measurement(energy()), **CELL)
assert ledger.flush(10) and ledger.lost == 30
print(len(ledger.rows()), said[0])
"""

READ_ONLY = """
import os, sys
from pathlib import Path
from greennb.ledger.store import Ledger
from greennb.model.errors import LedgerError
from tests.rig.measurements import energy, measurement
CELL = dict(session_id="s", notebook="n.ipynb", source="x", kind="cell")
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)  # modes mean nothing to root
said = []
ledger = Ledger(Path(sys.argv[1]), on_problem=said.append)
try:
    print(len(ledger.rows()))
except LedgerError as error:
    print(error)
for _ in range(3):
    ledger.append(measurement(energy()), **CELL)
    assert ledger.flush(10)
assert len(said) == 1 and ledger.lost == 3, (said, ledger.lost)
print(said[0])
"""


def run(code: str, path: Path) -> list[str]:
    """The lines that ``code`` prints in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", code, str(path)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on a file's size")
def test_a_full_disk_is_said_once_and_later_windows_are_kept_again(path):
    """The writes really fail; nothing is raised; when there is room again the ledger goes on."""
    (line,) = run(FULL, path)
    assert line.startswith("2 The ledger")
    assert "measurements are shown and not kept" in line


@pytest.fixture
def public_folder():
    """A folder that other users reach, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders mean nothing there")
def test_a_read_only_medium_is_read_and_its_loss_said_once(public_folder, filled):
    """What is there can be read though SQLite can make no file beside it."""
    ledger = public_folder / "ledger.sqlite3"
    shutil.copy(filled, ledger)
    ledger.chmod(0o444)
    public_folder.chmod(0o555)
    before = ledger.read_bytes()
    count, sentence = run(READ_ONLY, ledger)
    assert count == "1"
    assert "cannot be written" in sentence
    assert (ledger.read_bytes(), list(public_folder.iterdir())) == (before, [ledger])


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders mean nothing there")
def test_a_read_only_folder_without_a_ledger_is_an_empty_one(public_folder):
    """Nothing to read is no error; nothing kept is said."""
    public_folder.chmod(0o555)
    count, sentence = run(READ_ONLY, public_folder / "sub" / "ledger.sqlite3")
    assert count == "0"
    assert "cannot be written" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders mean nothing there")
def test_a_log_that_cannot_be_read_is_no_reason_to_leave_its_rows_out(public_folder, filled, opened):
    """Rows of a crashed kernel lie in the log: on a read-only medium the answer is a sentence, not fewer rows."""
    ledger = opened(filled)
    written_by(ledger)  # the connection is open for a second more: the row is in the log
    copy = public_folder / "ledger.sqlite3"
    for suffix in ("", "-wal"):
        shutil.copy(f"{filled}{suffix}", f"{copy}{suffix}")
        Path(f"{copy}{suffix}").chmod(0o444)
    public_folder.chmod(0o555)
    assert "cannot be read" in run(READ_ONLY, copy)[0]
    ledger.close()


@pytest.mark.parametrize("start", range(LATEST))
def test_every_older_version_is_brought_up_to_date(path, start, opened):
    """From a new file and from each version that there ever was; rows written before are still there."""
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, upto=start)
    assert version(connection) == start
    connection.close()
    if start:
        ledger = opened(path)
        assert ledger.rows() == []  # an older ledger can be read as it is
        altered(path, _a_row_as_version_1_wrote_it())
        assert [row.id for row in ledger.rows()] == ["old"]
    ledger = opened(path)
    written_by(ledger)
    assert len(ledger.rows()) == (2 if start else 1)
    ledger.close()
    connection = sqlite3.connect(path)
    assert version(connection) == LATEST
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _a_row_as_version_1_wrote_it() -> str:
    return """INSERT INTO windows (id, started_at, session_id, notebook, kind, label, source, status, host, duration_s,
        partial, document)
        VALUES ('old', '2026-01-01T00:00:00.000000+00:00', 's', 'n', 'cell', 'l', 'x', 'ok', 'h', 1.0, 1, '{}')"""


def test_a_step_that_fails_leaves_the_ledger_as_it_was(path, monkeypatch):
    """All steps in one transaction: no half of a migration is ever seen."""
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, upto=1)
    connection.execute("CREATE INDEX windows_id ON windows (id)")  # what step 2 makes last is in its way
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    assert version(connection) == 1
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert "windows_notebook" not in names
    connection.close()


def test_the_first_step_is_never_changed():
    """Ledgers of version 1 are on people's disks: their table is the one that readers know."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, upto=1)
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(windows)")]
    connection.close()
    assert columns == [
        "seq", "id", "parent_id", "started_at", "session_id", "notebook", "kind", "label", "source", "status", "host",
        "duration_s", "total_j", "low_j", "high_j", "method", "partial", "co2e_g", "intensity_g_per_kwh", "zone",
        "origin", "pue", "document",
    ]  # fmt: skip
    assert len(MIGRATIONS) == LATEST


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export/home {home} nfs4 rw,vers=4.2 0 0
tmpfs {home}/local tmpfs rw 0 0
broken line
"""


@pytest.fixture
def mounts(tmp_path):
    """A recorded mount table in which ``tmp_path/home`` is on NFS, and ``home/local`` in it is not."""
    (tmp_path / "home" / "local").mkdir(parents=True)
    table = tmp_path / "mounts"
    table.write_text(MOUNTS.format(home=(tmp_path / "home").resolve()))
    return table


def test_a_network_file_system_is_told_from_a_local_one(tmp_path, mounts):
    """By the innermost mount; where nothing is known, the answer is "" and WAL is tried."""
    assert opening.file_system(tmp_path / "home" / "me" / "x", mounts) == "nfs4"
    assert opening.file_system(tmp_path / "home" / "local" / "x", mounts) == "tmpfs"
    assert opening.file_system(tmp_path / "x", mounts) == "ext4"
    assert opening.file_system(tmp_path / "x", tmp_path / "no such file") == ""


@pytest.mark.parametrize(("folder", "mode"), [("home", "delete"), ("home/local", "wal")])
def test_a_ledger_on_a_network_file_system_has_a_rollback_journal(tmp_path, mounts, folder, mode):
    """WAL's index is in memory that other machines do not share."""
    path = tmp_path / folder / "ledger.sqlite3"
    connection = opening.for_writing(path, mounts=mounts)
    assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
    connection.close()


def test_where_wal_cannot_be_the_ledger_works_without(tmp_path):
    """A file that another connection reads cannot be changed to WAL: the writer waits, gives up on it and writes."""
    path = tmp_path / "ledger.sqlite3"
    reader = sqlite3.connect(path, isolation_level=None)
    migrate(reader)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM windows").fetchall()
    connection = opening.for_writing(path, busy_ms=200)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
    reader.close()


def test_a_new_ledger_is_its_owners_alone(path):
    """Whatever the umask, and a second opening changes nothing."""
    opening.for_writing(path).close()
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
    opening.for_writing(path).close()
