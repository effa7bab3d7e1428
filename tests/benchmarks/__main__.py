"""`make bench`: every benchmark, one after the other, each in a process of its own."""

import subprocess
import sys

for name in ("scan", "watcher"):
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)
    print(flush=True)
