import runpy
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "benchmark.py"


@pytest.mark.parametrize("samples", [1, 512, 16_000])
def test_the_encoder_of_the_example_gives_finite_frames(samples):
    spectra = runpy.run_path(str(EXAMPLE))["spectra"]
    frames = spectra(np.zeros(samples, np.float32))
    assert frames.shape == (max(0, samples - 512) // 160 + 1, 32)
    assert np.isfinite(frames).all()


def test_the_example_prints_its_table_and_writes_the_page(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--epochs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "emobox-intra, strict: benchmark.py:spectra" in done.stdout
    assert "demo" in (tmp_path / "results" / "report.html").read_text(encoding="utf-8")


def test_a_wrong_encoder_is_refused_in_one_line(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--encoder", "wavlm_bas"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stderr.startswith("benchmark: Encoder 'wavlm_bas': has no record. Did you mean 'wavlm_base'")
