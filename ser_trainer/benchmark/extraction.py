"""Extraction: corpora are encoded into the cache by themselves, without a protocol."""

from collections.abc import Iterator, Sequence

from tqdm import tqdm

from ..encoders.encoder import Layers
from .cache.extract import extract
from .corpora import CorpusRows
from .machine import Machine
from .meter import Meter
from .opened import opened
from .protocol import ProtocolError


def extract_features(
    encoders: Sequence[str], corpora: Sequence[CorpusRows], layers: Layers, machine: Machine
) -> Iterator[str]:
    """Encode corpora into the cache, with a bar; yield a sentence about each.

    Args:
        encoders: what `open_encoder` takes.
        corpora: the corpora.
        layers: which layers.
        machine: where it runs.

    Raises:
        ProtocolError: an encoder needs statistics of a training split, which only a protocol has.
    """
    for word in encoders:
        encoder = opened(word, machine.device, machine.bf16, machine.trust_remote_code)
        if encoder.fits:
            raise ProtocolError(
                f"Encoder {encoder.name}: normalizes by statistics of a training split, so its features belong to a "
                f"config. Run a protocol with it: serbench run emobox-intra --encoder {word} --corpora "
                f"{' '.join(one.id for one in corpora)}"
            )
        for corpus in corpora:
            with tqdm(total=len(corpus.ids), desc=f"{corpus.id} by {encoder.name}", unit=" utt", disable=None) as bar:
                meter = Meter(lambda _, told, bar=bar: bar.set_postfix_str(told))
                features = extract(
                    corpus.rows,
                    encoder.opener(machine.num_proc),
                    corpus.id,
                    layers,
                    num_proc=machine.num_proc,
                    device=machine.device,
                    progress=lambda utterances, seconds, bar=bar, meter=meter: (
                        meter(utterances, seconds),
                        bar.update(utterances - bar.n),
                    ),
                )
            yield (
                f"{corpus.id} by {encoder.name}: {len(features)} of {len(corpus.ids)} utterances, "
                f"{features.header.contents.seconds / 3600:.2f} h of audio{meter.told and ', ' + meter.told}"
            )
