"""P10: a build that is killed half-way and run again, against one that is left alone: how much is encoded twice.

Goal: at most 2 % of the work repeated.

    python tests/bench/p10_resume.py [utterances, default 12000]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from p1_rows import plant
from timing import REPOSITORY, environment

_BUILD = """
import os, sys
from pathlib import Path
import loading_scripts
from loading_scripts import audio, registry, repo
encode, log = audio.flac, os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
audio.flac = lambda *samples: (os.write(log, b"."), encode(*samples))[1]
repo.build(registry.load("esd"), Path(sys.argv[1]), Path(sys.argv[2]))
"""


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 12_000
    with tempfile.TemporaryDirectory() as folder:
        root, out, log = Path(folder, "ESD"), Path(folder, "built"), Path(folder, "encoded")
        root.mkdir()
        plant(root, files)
        command = [sys.executable, "-c", _BUILD, str(root), str(out), str(log)]
        child = subprocess.Popen(command, env=environment({}), cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        while not log.exists() or log.stat().st_size < files / 2:
            time.sleep(0.01)
        child.kill()
        child.wait()
        killed = log.stat().st_size
        subprocess.run(command, env=environment({}), cwd=REPOSITORY, check=True, stderr=subprocess.DEVNULL)
        repeated = log.stat().st_size - files
        print(f"P10: {files} utterances, killed after {killed}: {repeated} encoded twice ({repeated / files:.1%})")


if __name__ == "__main__":
    main()
