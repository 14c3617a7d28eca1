# SPDX-License-Identifier: GPL-2.0
"""Finds what a kernel complains about in its log."""

import re

# At the start of a message only, so that a message that quotes user space
# (a process name, say) is not taken for one of the kernel's own.
_STAMP = r"^(?:<\d+>)?(?:\[ *\d+\.\d+\])?(?:\[ *[TC]\d+\])? *"
_TROUBLE = re.compile(
    _STAMP
    + r"(?:"
    + "|".join(
        (
            r"WARNING: ",
            r"BUG: ",
            r"kernel BUG at ",
            r"Oops",
            r"Internal error: ",
            r"Unable to handle kernel ",
            r"general protection fault",
            r"Kernel panic",
            r"Kernel stack overflow",
            r"stack segment: ",
            r"double fault: ",
            r"(?:=+\s*)?BUG: KASAN",
            r"UBSAN: ",
            r"INFO: possible ",
            r"INFO: task .* blocked for more than",
            r"INFO: task .* blocked in I/O wait for more than",
            r"INFO: rcu_",
            r"INFO: trying to register non-static key",
            r"INFO: suspicious ",
            r"rcu: INFO: ",
            r"rcu: .*stall",
            r"watchdog: (?:BUG|Watchdog detected)",
            r"workqueue: .* hogged CPU",
            r"kmemleak: \d+ new suspected memory leak",
            r"rust_kernel: panicked",
            r"\S*panicked at ",
            r"=+\[ BUG",
            r"\[ BUG: ",
            r"Bad page state",
            r"list_(?:add|del) corruption",
            r"refcount_t: ",
            r"page dumped because: VM_BUG",
            r"DEBUG_LOCKS_WARN_ON",
            r"slab .* objects remaining|kmem_cache_destroy ",
        )
    )
    + r")"
)
REPORT_LINES = 120
# How a report begins, and how one of that kind ends.
_RULE = re.compile(_STAMP + r"=====")
_CUT = re.compile(_STAMP + r"-+\[ cut here")
_ENDS = ((_RULE, _RULE), (_CUT, re.compile(_STAMP + r"---\[ end ")), (_TROUBLE, re.compile(_STAMP + r"</TASK>")))


class LogReader:
    """Follows a log that is still being written."""

    def __init__(self, path: str, allowed: str | None = None) -> None:
        self._path = path
        self._allowed = allowed
        self._offset = 0
        self._rest = ""
        self.lines: list[str] = []
        self.first: int | None = None

    def poll(self, final: bool = False) -> None:
        """Reads what is new; `final` takes an unfinished last line as well."""
        try:
            with open(self._path, "rb") as log:
                log.seek(self._offset)
                data = log.read()
        except FileNotFoundError:
            return
        self._offset += len(data)
        text = self._rest + data.decode("utf-8", "replace").replace("\r", "")
        *lines, self._rest = text.split("\n")
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            if self.first is None and _TROUBLE.search(line):
                if self._allowed is None or self._allowed not in line:
                    self.first = len(self.lines)
            self.lines.append(line)

    def report(self) -> list[str]:
        """The first complaint, with the lines that belong to it."""
        if self.first is None:
            return []
        start = self.first
        before = self.lines[start - 1] if start else ""
        if _RULE.search(before) or _CUT.search(before):
            start -= 1
        lines = self.lines[start : start + REPORT_LINES]
        end = next(end for begin, end in _ENDS if begin.search(lines[0]))
        # Lockdep underlines its title: that line ends nothing yet.
        for number, line in enumerate(lines):
            if number > 4 and end.search(line):
                return lines[: number + 1]
        return lines
