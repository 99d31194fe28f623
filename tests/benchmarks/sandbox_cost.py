"""What a program costs in each kind of sandbox, here and in other checkouts of this project, measured in turn.

Run by hand, on an idle machine: ``python -m tests.benchmarks.sandbox_cost [OTHER_CHECKOUT ...]``.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median

ROUNDS, PROGRAMS = 7, 100
_MEASURE = """
import sys, time
from teachgym.sandbox import SANDBOX_KINDS, Program, Sandbox
from teachgym.sandbox.kinds import why_no_sandbox
for kind in filter(lambda kind: not why_no_sandbox(kind), SANDBOX_KINDS):
    for name, program in (("small", Program("print(1)")), ("1 MiB of input", Program("input()", "x" * 2**20))):
        sandbox = Sandbox(kind=kind)
        times = []
        for count in (1, int(sys.argv[1]) + 1):
            started = time.perf_counter()
            sandbox.run_many([program] * count)
            times.append(time.perf_counter() - started)
        print(f"{kind}, {name}\\t{1e3 * (times[1] - times[0]) / int(sys.argv[1])}")
"""


def measure(checkout: Path) -> dict[str, float]:
    """Milliseconds that one more program in a run costs, by the kind of sandbox and the kind of program."""
    command = [sys.executable, "-c", _MEASURE, str(PROGRAMS)]
    done = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True)
    return {name: float(value) for name, _, value in (line.partition("\t") for line in done.stdout.splitlines())}


def main() -> None:
    """Measure each checkout in every round, and print the medians."""
    checkouts = [Path(), *map(Path, sys.argv[1:])]
    rounds = [[measure(checkout) for checkout in checkouts] for _ in range(ROUNDS)]
    for place, checkout in enumerate(checkouts):
        for name in rounds[0][place]:
            times = [measured[place][name] for measured in rounds]
            found = f"{median(times):.2f} ms ({min(times):.2f} to {max(times):.2f})"
            sys.stdout.write(f"{checkout.resolve().name}: {name}: {found}\n")


if __name__ == "__main__":
    main()
