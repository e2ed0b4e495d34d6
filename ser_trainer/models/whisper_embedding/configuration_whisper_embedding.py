"""Configuration of the Whisper classifier of Generalize.

This file travels to the Hub with every saved model, so it imports transformers and nothing of ours.
"""

from transformers import WhisperConfig


class WhisperEmbeddingConfig(WhisperConfig):
    """A Whisper whose decoder gives one vector per clip, and a feed-forward head on it.

    Source: Ibrahim, Shehata, Kulkarni, Mohamed, Abdul-Mageed, "What Does it Take to Generalize SER Model Across
    Datasets? A Comprehensive Benchmark", Interspeech 2024 (arXiv:2406.09933). The paper says neither what its
    "fixed-size embedding" is nor how wide all of its "five layers, starting from a size of 4096" are; both are named
    here. All fields of Whisper keep their meaning.

    Args:
        embedding (`str`, defaults to `"start_token"`): The last hidden state of the decoder, fed with nothing but its
            start token, `decoder_start_token_id`.
        head_sizes (`tuple[int, ...]`, defaults to `(4096, 2048, 1024, 512)`): Widths of the hidden layers of the head.

    Raises:
        ValueError: If `embedding` is another, or a width is below 1.

    >>> WhisperEmbeddingConfig(num_labels=4).head_sizes
    (4096, 2048, 1024, 512)
    """

    model_type = "whisper-embedding"

    embedding: str = "start_token"
    head_sizes: list[int] | tuple[int, ...] = (4096, 2048, 1024, 512)

    def __post_init__(self, **kwargs):
        super().__post_init__(**kwargs)
        self.validate_architecture()

    def validate_architecture(self):
        """Check the fields of the embedding and the head."""
        super().validate_architecture()
        if self.embedding != "start_token":
            raise ValueError(f"embedding is 'start_token', the only one that there is, not {self.embedding!r}.")
        if any(not isinstance(size, int) or size < 1 for size in self.head_sizes):
            raise ValueError(f"head_sizes are widths of layers, integers from 1 on, not {self.head_sizes!r}.")


__all__ = ["WhisperEmbeddingConfig"]
