"""Processes: what those that torchrun or accelerate started tell each other, and what they hide from a training."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from .cache.sharing import rank

_PATIENCE = timedelta(days=30)
"""How long a process that is done waits for the others, at most."""

_LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""By these variables torchrun and accelerate tell a process of the others."""

_MEETINGS = count(1)
"""How often the processes have met; all of them count the same."""

Found = TypeVar("Found")


@contextmanager
def alone(really: bool = True) -> Iterator[None]:
    """Let a training believe that it runs in one process: those of a study do not train one model together.

    Args:
        really: whether to.
    """
    told = {name: os.environ[name] for name in _LAUNCHED if really and name in os.environ}
    for name in told:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(told)


def gathered(found: Found) -> list[Found]:
    """Return what each process found, in all of them; waits until the last one has come this far.

    Processes that nobody told where to meet, as torchrun and accelerate do, do not wait.
    """
    if rank()[1] == 1 or "MASTER_ADDR" not in os.environ:
        return [found]
    from torch import distributed

    store, this, processes = next(distributed.rendezvous("env://", timeout=_PATIENCE))
    store = distributed.PrefixStore(f"study {next(_MEETINGS)}", store)  # where they met before, old addresses lie
    distributed.init_process_group("gloo", store=store, rank=this, world_size=processes, timeout=_PATIENCE)
    try:
        every: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(every, found)
        return every
    finally:
        distributed.destroy_process_group()
