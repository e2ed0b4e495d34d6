"""Embedding map: a picture of what an encoder makes of several corpora, by corpus and by emotion."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from model_cards.embedding_picture import draw_embeddings, positions

from ..cache.features import Features
from ..cache.layers import by_layer
from ..corpora import CorpusError, CorpusRows

MOST = 500
"""Utterances of a corpus that are drawn, unless told otherwise."""


def draw_map(
    corpora: Sequence[CorpusRows],
    features: Mapping[str, Features],
    path: Path,
    *,
    column: str = "canonical",
    emotions: Sequence[str] | None = None,
    layer: str = "last",
    most: int = MOST,
    seed: int = 0,
) -> int:
    """Draw the mean vectors of utterances in the plane to a PNG or SVG file; return how many are drawn.

    Args:
        corpora: the corpora.
        features: id of a corpus -> what one encoder made of it.
        path: where to.
        column: which label is shown: canonical, unified8, emotion ...
        emotions: which of its values are shown; None: all.
        layer: which layer, as result lines call it.
        most: utterances of a corpus, drawn at random where it has more.
        seed: of the draw and of t-SNE.

    Raises:
        CorpusError: fewer than four utterances have such a label.
    """
    generator = np.random.default_rng(seed)
    vectors, names, shown = [], [], []
    for corpus in corpora:
        own, failed = features[corpus.id], features[corpus.id].failed
        labels = {one: facts[column] for one, facts in corpus.facts.items() if one not in failed}
        ids = [one for one, label in labels.items() if label is not None and (emotions is None or label in emotions)]
        if len(ids) > most:
            ids = [ids[at] for at in sorted(generator.choice(len(ids), most, replace=False).tolist())]
        if not ids:
            continue
        vectors.append(by_layer(own, ids)[layer])
        names += [corpus.id] * len(ids)
        shown += [labels[one] for one in ids]
    if len(names) < 4:
        raise CorpusError(
            f"Corpora {', '.join(one.id for one in corpora)}: a picture needs 4 utterances with a label in {column!r}; "
            f"{len(names)} have one. Choose another column, or other emotions."
        )
    header = features[corpora[0].id].header
    title = f"{header.encoder}, layer {layer}: t-SNE of {len(names)} utterances"
    draw_embeddings(positions(np.concatenate(vectors), seed), names, shown, path, title)
    return len(names)
