# SPDX-License-Identifier: GPL-2.0
"""Compares what a test gave before and after."""

# By how many of its runs a case must fail more often to count as worse.
WORSE_BY = 2
_WORDS = (("ok", "passed"), ("fail", "FAILED"), ("skip", "skipped"))


def real_cases(cases: dict[str, str]) -> dict[str, str]:
    """The cases to be counted: what a program's end says is one only if it
    has no others, or if it went wrong."""
    real = {name: state for name, state in cases.items() if not name.startswith("(")}
    for name in ("(exit)", "(kernel log)"):
        state = cases.get(name)
        if state == "fail" or (state and name == "(exit)" and not real):
            real[name] = state
    return real


def summary(cases: dict[str, str]) -> str:
    states = list(real_cases(cases).values())
    words = [f"{states.count(state)} {word}" for state, word in _WORDS if state in states]
    return ", ".join(words) or "nothing"


class Comparison:
    """All runs of one test, on both kernels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._runs: dict[str, list[dict[str, str]]] = {"unpatched": [], "patched": []}

    def add(self, side: str, cases: dict[str, str]) -> None:
        self._runs[side].append(cases)

    def first(self, side: str) -> dict[str, str]:
        return self._runs[side][0]

    def _states(self, side: str, case: str) -> list[str]:
        return [cases.get(case, "missing") for cases in self._runs[side]]

    def _names(self) -> list[str]:
        names: dict[str, None] = {}
        for runs in self._runs.values():
            for cases in runs:
                names.update(dict.fromkeys(cases))
        return list(names)

    def _verdict(self, case: str) -> str:
        before = self._states("unpatched", case)
        after = self._states("patched", case)
        is_new = all(state == "missing" for state in before)
        bad_before = 0 if is_new else sum(state != "ok" for state in before)
        # Of a new case only a failure is bad, and it was never good before.
        bad_after = sum(state == "fail" if is_new else state != "ok" for state in after)
        if bad_after <= bad_before and len(set(before)) == 1 and len(set(after)) == 1:
            return ""
        if len(after) == 1 or bad_after >= bad_before + WORSE_BY:
            if bad_after <= bad_before:
                return ""
            return "NEW AND FAILS" if is_new else "WORSE"
        return "flaky"

    def suspects(self) -> list[str]:
        return [case for case in self._names() if self._verdict(case)]

    def differences(self, everything: bool) -> list[tuple[str, str, str, str]]:
        """Case, states before and after, and what to call that, for each case
        that is not the same; with `everything` each that does not pass."""
        rows = []
        for case in self._names():
            before, after = (_times(self._states(side, case)) for side in self._runs)
            verdict = self._verdict(case)
            bad = any(word != "ok" for word in (before, after))
            if verdict or (before != after and before != "missing") or (everything and bad):
                rows.append((case, before, after, verdict))
        return rows


def _times(states: list[str]) -> str:
    if len(set(states)) == 1:
        return states[0]
    return ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
