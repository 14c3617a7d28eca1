# SPDX-License-Identifier: GPL-2.0
"""Runs bench/load in a guest, and reads what it measured."""

import os
import subprocess
import tempfile
from dataclasses import dataclass, field

from plan import Row

REPO = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ARCH = "x86_64"
LOAD = f"{REPO}/build/bench/{ARCH}/load"
LOGS = f"{REPO}/build/bench/log"
# CPUs that never halt: waking one takes an emulator, and the machine it runs
# on, longer than anything that is measured.
STORM_OPTIONS = ["--cmdline", "idle=poll", "--cpus", "2"]
BOOT_LIMIT_S = 600
STORM_MS = 500
STORM_ROUNDS = 4
# Words of a line that say what was asked for, or are its result.
NOT_DETAILS = ("metric", "value", "unit")


class Failure(Exception):
    """Why there are no figures, in words for the user."""


@dataclass
class Cell:
    """What one driver gave in one row: values of each round."""

    unit: str = ""
    rounds: list[list[int]] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Subject:
    """A column, and the device that it is about."""

    column: str
    device: str


@dataclass
class Boot:
    """A guest, and what is measured in it."""

    name: str
    config: str
    subjects: list[Subject]
    rows: list[Row]
    module: bool = True
    params: list[str] = field(default_factory=list)
    storm: bool = False

    def command(self, timeout: float) -> list[str]:
        command = [f"{REPO}/scripts/boot", "--arch", ARCH, "--config", self.config]
        # On a busy machine a guest takes long to come up, and counts the same.
        command += ["--timeout", str(timeout), "--boot-limit", str(BOOT_LIMIT_S)]
        command += STORM_OPTIONS if self.storm else ["--icount"]
        if not self.module:
            command.append("--no-module")
        for param in self.params:
            command += ["--param", param]
        return command


def script_of(boot: Boot, rounds: int, repeats: int) -> str:
    """What the guest does: drivers in turn, so that time is fair to them."""
    options = f"-r {repeats}"
    if boot.storm:
        # Time differs from one second to the next: many short turns.
        options = f"-r 1 -n {STORM_MS}"
        rounds *= STORM_ROUNDS
    lines = _commands(boot, [row for row in boot.rows if row.once], options)
    lines.append(f"for round in {' '.join(map(str, range(rounds)))}; do")
    lines += _commands(boot, [row for row in boot.rows if not row.once], options)
    # There may be no row but those.
    lines += [":", "done"]
    return "\n".join(lines) + "\n"


def _commands(boot: Boot, rows: list[Row], options: str) -> list[str]:
    lines = []
    for row in rows:
        for subject in boot.subjects:
            device = "-" if row.of_system else subject.device
            lines.append(f"echo 'begin {subject.column}|{row.words}'")
            lines.append(f"/load {options} {device} {row.words} && echo end")
    return lines


def read(output: str) -> dict[tuple[str, str], Cell]:
    """The cells of a boot, by column and row."""
    cells: dict[tuple[str, str], Cell] = {}
    cell = None
    values: list[int] = []
    said: list[str] = []
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word == "begin":
            _give_up(cell, said)
            column, _, words = rest.partition("|")
            cell = cells.setdefault((column, words), Cell())
            values, said = [], []
        elif cell and word.startswith("metric="):
            pairs = dict(part.partition("=")[::2] for part in line.split())
            values.append(int(pairs["value"]))
            cell.unit = pairs["unit"]
            cell.details = {key: text for key, text in pairs.items() if key not in NOT_DETAILS}
        elif cell and word == "end" and values:
            cell.rounds.append(values)
            cell, said = None, []
        else:
            said.append(line)
    _give_up(cell, said)
    return cells


def _give_up(cell: Cell | None, said: list[str]) -> None:
    if cell:
        # Who fails first says why; the others notice.
        cell.errors.append(said[0] if said else "ended without a result")


def measure(
    boot: Boot, rounds: int, repeats: int, timeout: float
) -> dict[tuple[str, str], Cell]:
    os.makedirs(LOGS, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as script:
        script.write(script_of(boot, rounds, repeats))
        script.flush()
        command = boot.command(timeout)
        command += ["--add", f"{LOAD}:/load", "--add", f"{script.name}:/measure"]
        done = subprocess.run(
            # One stream, so that what went wrong is where it did.
            [*command, "--", "sh", "-c", "exec sh /measure 2>&1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    log = f"{LOGS}/{boot.name}.log"
    with open(log, "w", encoding="utf-8") as out:
        out.write(done.stdout + done.stderr)
    cells = read(done.stdout)
    # Of 0 and 1 the latter is the load's, whose cell says why.
    if done.returncode not in (0, 1, 2):
        lines = done.stderr.strip().splitlines() or ["no word about why"]
        raise Failure(f"{boot.name}: the guest failed: {lines[-1]}; see {log}")
    missing = [
        f"{subject.column}, {row.words}"
        for subject in boot.subjects
        for row in boot.rows
        if (subject.column, row.words) not in cells
    ]
    if missing:
        raise Failure(f"{boot.name}: nothing was measured for {missing[0]}; see {log}")
    return cells
