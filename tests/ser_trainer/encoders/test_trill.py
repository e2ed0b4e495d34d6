"""TRILL: the adapter on a SavedModel with the signature of the published one, where TensorFlow is installed."""

import builtins
import os
from pathlib import Path

import numpy as np
import pytest

from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, EncoderError, ExtraError
from ser_trainer.encoders.families import trill
from ser_trainer.encoders.opening import Opening

RECORD = registry.load("trill")


def opening(place: Path) -> Opening:
    return Opening(name="trill", place=str(place), record=RECORD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel: samples (n,), sample_rate -> a dict of frames (T, D), one frame for each 1,600 samples begun."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tf = pytest.importorskip("tensorflow")

    class Model(tf.Module):
        def __init__(self, outputs: tuple[str, ...]) -> None:
            super().__init__()
            self.weight = tf.Variable(np.linspace(-1, 1, 1600 * 12, dtype=np.float32).reshape(1600, 12))
            self.outputs = outputs

        @tf.function
        def __call__(self, samples, sample_rate):
            tf.debugging.assert_equal(sample_rate, 16_000)
            padded = tf.pad(samples, [[0, -tf.shape(samples)[0] % 1600]])
            frames = tf.matmul(tf.reshape(padded, (-1, 1600)), self.weight)
            return {name: frames * place for place, name in enumerate(self.outputs, start=1)}

    root = tmp_path_factory.mktemp("trill")
    for name, outputs in {"three": ("embedding", "layer19"), "other": ("embedding",)}.items():
        model = Model(outputs)
        call = model.__call__.get_concrete_function(
            tf.TensorSpec([None], tf.float32), sample_rate=tf.TensorSpec([], tf.int32)
        )
        tf.saved_model.save(model, str(root / name), signatures=call)
    return root


def test_a_vector_is_the_mean_of_layer_19_of_the_samples_over_32767(folder: Path) -> None:
    encoder = trill.open(opening(folder / "three"))
    samples = np.arange(4000, dtype=np.int16) * 8
    (vector,) = encoder.encode([Clip("a", samples)])
    frames = np.pad(samples / 32_767, (0, 800)).reshape(3, 1600) @ np.linspace(-1, 1, 1600 * 12).reshape(1600, 12) * 2
    assert vector.shape == (1, 12) == (1, encoder.width) and vector.dtype == np.float32
    np.testing.assert_allclose(vector[0], frames.mean(0), rtol=1e-4)
    np.testing.assert_array_equal(encoder.encode([Clip("b", samples[:9]), Clip("a", samples)], "all")[1], vector)


def test_short_clips_are_padded_and_the_revision_is_that_of_the_content(folder: Path) -> None:
    encoder = trill.open(opening(folder / "three"))
    one, more = encoder.encode([Clip("a", np.full(1, 9, np.int16)), Clip("b", np.pad(np.int16([9]), (0, 127)))])
    np.testing.assert_array_equal(one, more)
    assert len(encoder.revision) == 16 == len(trill.open(opening(folder / "three")).revision)
    assert encoder.revision == trill.open(opening(folder / "three")).revision
    assert not any(str(folder) in str(value) for value in encoder.identity.values())


def test_another_model_or_a_damaged_one_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="trill.*must take samples.*'layer19'"):
        trill.open(opening(folder / "other"))
    with pytest.raises(EncoderError, match="saved_model.pb.*trill=FOLDER"):
        trill.open(opening(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(EncoderError, match="must be a SavedModel"):
        trill.open(opening(tmp_path))


def test_a_missing_package_says_which_line_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraError, match=r"pip install 'serbench\[trill\]'"):
        trill.open(opening(tmp_path))


def test_the_record_names_the_published_row() -> None:
    assert '"TRILL, layer 19"' in RECORD.rows["serab_table3"].join('""')
    assert RECORD.width == 12_288 and not RECORD.complete
