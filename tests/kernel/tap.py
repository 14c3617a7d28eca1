# SPDX-License-Identifier: GPL-2.0
"""Reads what the kernel's tests print: TAP, KTAP and that of tools/testing/vma."""

import re

_RESULT = re.compile(r"^( *)(not )?ok\b *(?:\d+\b)? *(?:- )?(.*)$")
_DIRECTIVE = re.compile(r" *# *(SKIP|XFAIL|TODO|XPASS)\b.*$", re.IGNORECASE)
# What differs from one run to the next has no place in a name: addresses, and
# what some cases have measured.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{5,}\b")
_MEASURED = re.compile(
    r"(?<=Extra pages )\d+ \(\d+\.\d+%\)|(?<=extra thread faults )\d+|(?<=a child with )\d+(?=MB)"
)
_VMA = re.compile(r"^(\d+) tests run, (\d+) passed, (\d+) failed\.?$", re.MULTILINE)
_INDENT = 4


def cases_of(text: str) -> dict[str, str]:
    """Each case's name (with that of its suite) and state: ok, fail or skip."""
    pending: dict[int, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        match = _RESULT.match(line.rstrip())
        if not match:
            continue
        depth = len(match.group(1)) // _INDENT
        name, state = _name_and_state(match.group(3), bool(match.group(2)))
        inside = pending.pop(depth + 1, [])
        found = [(f"{name}/{inner}", inner_state) for inner, inner_state in inside]
        if not inside or (state == "fail" and all(one[1] != "fail" for one in inside)):
            found.append((name, state))
        pending.setdefault(depth, []).extend(found)
    cases: dict[str, str] = {}
    for depth in sorted(pending):
        for name, state in pending[depth]:
            number, unique = 1, name
            while unique in cases:
                number += 1
                unique = f"{name} ({number})"
            cases[unique] = state
    return cases


def cases_of_vma(text: str) -> dict[str, str]:
    """The program gives numbers only: so many are told apart by a number."""
    match = _VMA.search(text)
    if not match:
        return {}
    run, passed, _ = map(int, match.groups())
    return {f"test {n}": "ok" if n <= passed else "fail" for n in range(1, run + 1)}


def _name_and_state(text: str, failed: bool) -> tuple[str, str]:
    directive = _DIRECTIVE.search(text)
    name = _ADDRESS.sub("0x...", text.split(" # ")[0].strip()) or "unnamed"
    name = _MEASURED.sub("...", name)
    if directive and directive.group(1).upper() == "SKIP":
        return name, "skip"
    return name, "fail" if failed else "ok"
