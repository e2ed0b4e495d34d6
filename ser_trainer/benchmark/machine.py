"""Machine: where a study runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Where a study runs; nothing of it changes a number, but for precision, which is part of an encoder's identity.

    Args:
        device: torch device of encoders and heads.
        num_proc: processes that encode.
        bf16: whether encoders compute in bfloat16.
        trust_remote_code: whether checkpoints may run code of their own.
    """

    device: str = "cpu"
    num_proc: int = 1
    bf16: bool = False
    trust_remote_code: bool = False
