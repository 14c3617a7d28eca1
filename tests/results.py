# SPDX-License-Identifier: GPL-2.0
"""What test programs print, and what it says; for tests/run."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

REPO = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# What is shown of a program in which nothing has failed.
NOTES = ("boot: ", "# fuzz: ")
# What cargo and the test programs that it runs print.
HOST_PROGRAM = re.compile(r"^ +Running (?:unittests )?(?:\S+/)*(\w+)\.rs \(")
HOST_PLAN = re.compile(r"^running (\d+) tests?$")
HOST_CASE = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b")
SKIP_ALL = re.compile(r"^1\.\.0\s*# *skip\S*\s*(.*)", re.IGNORECASE | re.MULTILINE)
LOG_LINES = 200
VERBOSE = os.environ.get("V", "") not in ("", "0")


@dataclass
class Result:
    """What one program reported."""

    name: str
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    output: str = ""
    seconds: float = 0.0

    def print(self, progress: str = "") -> None:
        counts = f"{len(self.passed)} passed"
        counts += f", {len(self.failed)} FAILED" if self.failed else ""
        counts += f", {len(self.skipped)} skipped" if self.skipped else ""
        if VERBOSE:
            for case in self.passed:
                print(f"  ok      {self.name}/{case}")
            for case in self.skipped:
                print(f"  skipped {self.name}/{case}")
        if not self.failed:
            for line in self.output.splitlines():
                if line.startswith(NOTES):
                    print(f"    | {line}")
        if self.failed:
            for line in self.output.splitlines()[-LOG_LINES:]:
                print(f"    | {line}")
        for case in self.failed:
            print(f"  FAILED  {self.name}/{case}")
        seconds = f" ({self.seconds:.0f} s)" if self.seconds else ""
        print(f"{progress}{self.name}: {counts}{seconds}", flush=True)


def load_parser():
    """The kernel's own TAP parser."""
    found = subprocess.run(
        [f"{REPO}/scripts/kernel", "--print-source"], stdout=subprocess.PIPE, text=True
    )
    if found.returncode:
        sys.exit("0 passed, 1 failed, 0 skipped")
    sys.path.insert(0, f"{found.stdout.strip()}/tools/testing/kunit")
    import kunit_parser  # pylint: disable=import-outside-toplevel
    import kunit_printer  # pylint: disable=import-outside-toplevel

    return kunit_parser, kunit_printer


def parse(kunit, text: str, result: Result) -> None:
    """Sorts the cases that `text` (TAP) reports into `result`."""
    skip = SKIP_ALL.search(text)
    if skip:
        result.skipped.append(skip.group(1) or "all")
        return
    parser, printer = kunit
    top = parser.parse_run_tests(text.splitlines(), printer.null_printer)

    def walk(test, path: str) -> None:
        for number, sub in enumerate(test.subtests, 1):
            walk(sub, f"{path}/{sub.name or f'case {number}, not reported'}".lstrip("/"))
        if test.subtests or test is top:
            return
        if test.status == parser.TestStatus.SUCCESS:
            result.passed.append(path)
        elif test.status == parser.TestStatus.SKIPPED:
            result.skipped.append(path)
        else:
            result.failed.append(path)

    walk(top, "")
    expected = top.expected_count
    if expected is None or not top.subtests:
        result.failed.append("no TAP plan, or nothing after it")
    elif len(top.subtests) < expected:
        result.failed.append(f"{expected - len(top.subtests)} of {expected} cases never reported")
    elif top.counts.errors and not result.failed:
        result.failed.append("its TAP is wrong")


def parse_host(text: str, result: Result) -> None:
    """Sorts the cases that `text` (of cargo) reports into `result`."""
    kinds = {"ok": result.passed, "FAILED": result.failed, "ignored": result.skipped}
    planned: dict[str, int] = {}
    reported: dict[str, int] = {}
    program = ""
    for line in text.splitlines():
        if match := HOST_PROGRAM.match(line):
            program = match.group(1)
            planned.setdefault(program, 0)
            reported.setdefault(program, 0)
        elif program and (match := HOST_PLAN.match(line)):
            planned[program] += int(match.group(1))
        elif program and (match := HOST_CASE.match(line)):
            reported[program] += 1
            kinds[match.group(2)].append(f"{program}/{match.group(1).replace('::', '/')}")
    for program, plan in planned.items():
        if not plan:
            result.failed.append(f"{program}: no tests")
        elif reported[program] != plan:
            result.failed.append(f"{program}: {reported[program]} of {plan} cases reported")
    if not planned:
        result.failed.append("no tests")


def by_mode(text: str) -> dict[str, str]:
    """What a program printed in each mode, and before the first; see tests/modes.sh."""
    parts = ["", *re.split(r"^# install=(\w+)\n", text, flags=re.MULTILINE)]
    return dict(zip(parts[0::2], parts[1::2]))
