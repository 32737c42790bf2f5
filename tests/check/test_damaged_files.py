"""Six hundred damaged files through the commands: an answer or a sentence, never anything else."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from fuzzing import MEMORY, SECONDS, SMALL, damaged

CASES, PROCESSES = 600, 2


def amiss(case: dict) -> str:
    """What is wrong with the end of a command, or an empty string."""
    status, err = case["status"], case["err"]
    if case["seconds"] > SECONDS:
        return "hangs"
    if case["megabytes"] > MEMORY >> 20:
        return "takes too much memory"
    if "Traceback" in err or status not in (0, 1, 2, 130):
        return "crashes"
    if status == 1 and case["arguments"][0] != "check":
        return "is amiss without having checked"
    if status == 2 and not (err.startswith("lina-calphad: error: ") and err.count("\n") == 1):
        return "is refused in more than a line"
    if status == 2 and case["left"]:
        return f"leaves {', '.join(case['left'])} behind"
    return ""


@pytest.mark.slow
def test_damaged_files_get_an_answer_or_a_sentence(tmp_path):
    script = Path(__file__).with_name("fuzzing.py")
    edges = [CASES * i // PROCESSES for i in range(PROCESSES + 1)]
    # One thread each: a forked child of a pool of threads may wait for ever.
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, script, tmp_path, "a seed", str(first), str(last)],
            stdout=subprocess.PIPE, text=True, env=alone,
        )
        for first, last in pairwise(edges)
    ]  # fmt: skip
    found = [json.loads(line) for each in running for line in each.communicate()[0].splitlines()]
    assert [each.returncode for each in running] == [0] * PROCESSES
    assert len(found) == CASES
    bad = [(reason, case) for case in found if (reason := amiss(case))]
    assert not bad, "\n".join(
        f"case {c['case']} {reason}: {c['arguments']}: {c['err'][-500:]}" for reason, c in bad
    )
    # It is no test where everything is refused, or nothing.
    ends = Counter((case["arguments"][0], case["status"] == 2) for case in found)
    for command in ("check", "compare", "export", "dataset", "refit"):
        assert ends[command, True] >= 5
        assert ends[command, False] >= 5


def test_damage_is_the_same_for_the_same_seed():
    first, second = (
        [damaged(SMALL.encode(), random.Random(f"{seed}")) for seed in range(50)] for _ in range(2)
    )
    assert first == second
    assert len({*first, SMALL.encode()}) > 45  # some change nothing
