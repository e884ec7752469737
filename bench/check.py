"""How long does `dondoc check` take for all shipped files, from start to end of its process? `python -m bench.check`"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.ground import timed

RUNS = 15
DONDOC = Path(sys.executable).with_name("dondoc")


def started(*arguments: str) -> float:
    command = [str(DONDOC), *arguments]
    return statistics.median(
        timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(RUNS)
    )


if __name__ == "__main__":
    for words in (("check",), ("--help",), ("--version",)):
        taken, load = started(*words) * 1000, os.getloadavg()[0]
        print(f"dondoc {' '.join(words):<10} {taken:>6.0f} ms   {RUNS} runs, load {load:.1f}")
