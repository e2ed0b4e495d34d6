"""SER Evals' random split as its script draws it: it depends on the width of the encoder."""

from loading_scripts.errors import SerbenchError

SEED = 34
"""Seed of torch's generator (spaghettiSystems/serval fe66005, models/main.py)."""

HIDDEN, CLASSES = 512, 8
"""Shape of the head that is initialized before the split is drawn."""


def published_split(utterances: int, width: int) -> tuple[list[int], list[int]]:
    """Return the positions that train, int(0.8 n) of them, and those that test, in the order in which they are drawn.

    The script seeds torch's global generator, initializes its head from it, then draws a permutation of the utterances.
    How many numbers the head has used up depends on the width of its input, so encoders of different widths are tested
    on different utterances.

    Args:
        utterances: how many the corpus has, n.
        width: values of a frame.

    Raises:
        SerbenchError: a part would be empty.

    >>> published_split(535, 1024)[1][:4]
    [279, 327, 424, 417]
    """
    import torch
    from torch.nn import Linear, init

    kept = int(0.8 * utterances)
    if not 0 < kept < utterances:
        raise SerbenchError(
            f"SER Evals' split: needs two utterances or more, to train and to test; given {utterances}. "
            "Choose another corpus."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        init.xavier_uniform_(Linear(width, HIDDEN).weight)
        init.normal_(Linear(HIDDEN, CLASSES).weight, std=HIDDEN**-0.5)
        order = torch.randperm(utterances).tolist()
    return order[:kept], order[kept:]
