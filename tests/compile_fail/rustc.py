# SPDX-License-Identifier: GPL-2.0
"""rustc, called as the module's build calls it for the driver."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass

RECORD = "src/.main.o.cmd"
# Options of that call that are this one's to choose, with their values.
OWN = re.compile(r"--(emit|out-dir|crate-name|error-format)=")
OWN_WITH_VALUE = ("--out-dir", "--crate-name", "-o")
# A program is to be read, not called, and says what it is about at its top.
ALLOWED = ("dead_code", "missing_docs", "unreachable_pub")
TIMEOUT = 120


class NoFlags(Exception):
    """The build has not recorded how the driver is compiled."""


@dataclass
class Outcome:
    """What rustc said of one file."""

    status: int
    diagnostics: list[dict]
    # What is no diagnostic: a crash.
    noise: str

    def text(self) -> str:
        return "".join(each["rendered"] or "" for each in self.diagnostics) + self.noise

    def errors(self) -> list[tuple[dict, list[dict]]]:
        """The errors, with the notes that follow each."""
        found: list[tuple[dict, list[dict]]] = []
        for each in self.diagnostics:
            if each["level"].startswith("error"):
                summary = not each["spans"] and each["message"].startswith("aborting due to")
                if not summary:
                    found.append((each, list(each["children"])))
            elif found:
                found[-1][1].append(each)
        return found


class Rustc:
    """The compiler with the flags that the driver in the directory `build` was compiled with."""

    def __init__(self, build: str) -> None:
        self._build = build
        record = os.path.join(build, RECORD)
        try:
            with open(record, encoding="utf-8") as file:
                command = file.readline()
        except OSError as error:
            raise NoFlags(f"{record}: {error.strerror}: run 'make modules'") from error
        words = shlex.split(command.partition(" := ")[2].replace("$$", "$").split(";")[0])
        names = [os.path.basename(word) for word in words]
        if "rustc" not in names:
            raise NoFlags(f"{record}: there is no call of rustc in it")
        place = names.index("rustc")
        self._command = [words[place]]
        self._env = dict(os.environ, RUSTC_BOOTSTRAP="1")
        self._env.update(word.split("=", 1) for word in words[:place])
        rest = iter(words[place + 1 :])
        for word in rest:
            if word in OWN_WITH_VALUE:
                next(rest, None)
            elif not OWN.match(word) and not word.endswith(".rs"):
                self._command.append(word)
        # So that an assertion in a function of vmarea is about who calls that.
        self._command += ["-Zinline-mir=no", "--check-cfg=cfg(fixed)"]
        for lint in ALLOWED:
            self._command += ["-A", lint]

    def compile(self, source: str, directory: str, *flags: str) -> Outcome:
        """Compiles the file `source`, code included: some assertions are looked at only then. What
        comes of it is in `directory`, which is for this file alone."""
        command = self._command + ["--error-format=json", "--crate-name=example"]
        command += ["--emit=obj", f"--out-dir={directory}", *flags, source]
        try:
            run = subprocess.run(
                command,
                cwd=self._build,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(124, [], f"rustc was not done in {TIMEOUT} s\n")
        except OSError as error:
            return Outcome(127, [], f"{self._command[0]}: {error.strerror}\n")
        diagnostics, noise = [], ""
        for line in run.stderr.splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict) and "message" in message:
                diagnostics.append(message)
            else:
                noise += line + "\n"
        return Outcome(run.returncode, diagnostics, noise)
