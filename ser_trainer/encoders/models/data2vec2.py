"""data2vec 2.0 for audio, and emotion2vec, which is data2vec 2.0 with extra tokens and prenet blocks: features only.

Baevski et al., "Efficient Self-supervised Learning with Contextualized Target Representations for Vision, Speech and
Language", ICML 2023; Ma et al., "emotion2vec: Self-Supervised Pre-Training for Speech Emotion Representation", ACL
Findings 2024. What only training needs (masking, decoder, teacher, dropout) is not here. Parameters carry the names of
fairseq's checkpoints, so that a message about a key speaks of the file that the reader has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

STRIDES = (5, 2, 2, 2, 2, 2, 2)
"""Strides of the stem; the only size that no tensor of a checkpoint shows."""


@dataclass(frozen=True, kw_only=True)
class Data2Vec2Config:
    """Sizes of a data2vec 2.0 encoder.

    Args:
        width: values per frame.
        heads: attention heads; divides width.
        depth: main blocks.
        prenet_depth: blocks before them, inside the audio encoder.
        hidden: width of the MLPs.
        extra_tokens: learned tokens before the frames, cut off again at the end.
        norm_first: whether blocks are pre-norm; see `Block` for the quirk of the original.
        norm_eps: epsilon of the layer norms of blocks and of the encoder; that of stem and projection is 1e-5.
        channels: width of the stem.
        kernels: kernels of the stem.
        strides: strides of the stem.
        positional_depth: convolutions of the positional network.
        positional_kernel: their kernel.
        positional_groups: their groups.
        positional_norm: whether a layer norm precedes them.
        alibi_layers: entries of the ALiBi scale: 1, shared by all blocks, or one per block, prenet first.
        alibi_heads: scales per entry: 1 or one per head.
    """

    width: int
    heads: int
    depth: int
    prenet_depth: int = 0
    hidden: int
    extra_tokens: int = 0
    norm_first: bool = False
    norm_eps: float
    channels: int = 512
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    strides: tuple[int, ...] = STRIDES
    positional_depth: int = 5
    positional_kernel: int = 19
    positional_groups: int = 16
    positional_norm: bool = False
    alibi_layers: int = 1
    alibi_heads: int

    @property
    def blocks(self) -> int:
        """Transformer blocks, prenet and main."""
        return self.prenet_depth + self.depth

    @property
    def field(self) -> int:
        """Samples that one frame needs: 400 for the published sizes."""
        samples, hop = 1, 1
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            samples, hop = samples + (kernel - 1) * hop, hop * stride
        return samples

    def frames(self, samples: int) -> int:
        """Frames that so many samples give."""
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples


class Output(NamedTuple):
    """What the encoder gives for a batch.

    Args:
        frames: (B, T, D), output of the last block (pre-norm: after the final norm); padded frames mean nothing.
        means: (B, 1 + blocks, D), means over the frames of the input of the first block and of each block's output,
            prenet blocks first; the last entry is the mean of `frames`. None unless asked for.
    """

    frames: Tensor
    means: Tensor | None


def alibi_slopes(heads: int) -> Tensor:
    """Return the slopes of ALiBi, float32 (heads,) (Press et al., ICLR 2022).

    2^(-8h/H) for h = 1..H where H is a power of two; else those of the largest power of two C below H, followed by the
    1st, 3rd, ... of those of 2C.

    >>> alibi_slopes(6).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]
    """
    closest = 1 << (heads.bit_length() - 1)
    slopes = [2 ** (-8 * h / closest) for h in range(1, closest + 1)]
    slopes += [2 ** (-8 * h / (2 * closest)) for h in range(1, 2 * (heads - closest), 2)]
    return torch.tensor(slopes)


def alibi(heads: int, frames: int, extra_tokens: int = 0, device: torch.device | str = "cpu") -> Tensor:
    """Return ALiBi's bias -m_h |i - j|, float32 (heads, N, N), N = extra tokens + frames.

    Extra tokens come first and are at distance 0 from everything.
    """
    positions = torch.arange(frames, device=device)
    distances = F.pad((positions[:, None] - positions).abs(), (extra_tokens, 0, extra_tokens, 0))
    return alibi_slopes(heads).to(device)[:, None, None] * -distances


class Swap(nn.Module):
    """Swap channels and time: (B, C, T) <-> (B, T, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x with its last two axes swapped."""
        return x.transpose(1, 2)


def _stem_layer(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution, (dropout, off), layer norm over channels, GELU; nested as in fairseq, for the names' sake."""
    norm = nn.Sequential(Swap(), nn.LayerNorm(channels), Swap())
    return nn.Sequential(nn.Conv1d(channels_in, channels, kernel, stride, bias=False), nn.Identity(), norm, nn.GELU())


class PositionalLayer(nn.Sequential):
    """Grouped convolution that keeps the number of frames, layer norm without gain, GELU: (B, D, T) -> (B, D, T)."""

    def __init__(self, config: Data2Vec2Config) -> None:
        kernel = config.positional_kernel
        super().__init__(
            nn.Conv1d(config.width, config.width, kernel, padding=kernel // 2, groups=config.positional_groups)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        frames = x.shape[-1]
        x = super().forward(x)[..., :frames]  # an even kernel makes one frame too many
        return F.gelu(F.layer_norm(x.transpose(1, 2), x.shape[1:2])).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention with a bias that is added to the scores; softmax and bias stay in float32 under autocast."""

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return (B, N, D).

        Args:
            x: (B, N, D).
            bias: float32 (1 or B, heads, N, N), -inf at padded keys.
        """
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        with torch.autocast(x.device.type, enabled=False):
            attended = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=bias)
        return self.proj(attended.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.width, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, N, D)."""
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Transformer block.

    Post-norm: h <- LN1(h + attention(h)), h <- LN2(h + MLP(h)). Pre-norm: h <- h + attention(LN1(h)), r = MLP(LN2(h)),
    and the result is r + r: the original overwrites the residual before it adds it (fairseq
    examples/data2vec/models/modalities/modules.py, AltBlock.forward). A checkpoint was trained with that, so it stays.
    """

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.norm1 = nn.LayerNorm(config.width, config.norm_eps)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.width, config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return (B, N, D); arguments as in `Attention`."""
        if self.norm_first:
            x = x + self.attn(self.norm1(x), bias)
            return 2 * self.mlp(self.norm2(x))
        x = self.norm1(x + self.attn(x, bias))
        return self.norm2(x + self.mlp(x))


class ContextEncoder(nn.Module):
    """The prenet's blocks, and the norm before all blocks of a post-norm model."""

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.prenet_depth))
        self.norm = nn.Identity() if config.norm_first else nn.LayerNorm(config.width, config.norm_eps)


class AudioEncoder(nn.Module):
    """From waveforms to what the first block reads."""

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        inputs = (1, *[config.channels] * (len(config.kernels) - 1))
        self.local_encoder = nn.ModuleDict(
            {
                "conv_layers": nn.Sequential(
                    *(
                        _stem_layer(channels, config.channels, kernel, stride)
                        for channels, kernel, stride in zip(inputs, config.kernels, config.strides, strict=True)
                    )
                )
            }
        )
        self.project_features = nn.Sequential(
            Swap(), nn.LayerNorm(config.channels), nn.Linear(config.channels, config.width)
        )
        positional = nn.Sequential(Swap(), *(PositionalLayer(config) for _ in range(config.positional_depth)), Swap())
        self.relative_positional_encoder = (
            nn.Sequential(nn.LayerNorm(config.width), positional) if config.positional_norm else positional
        )
        self.positional_norm = config.positional_norm
        self.alibi_scale = nn.Parameter(torch.ones(config.alibi_layers, 1, config.alibi_heads, 1, 1))
        if config.extra_tokens:
            self.extra_tokens = nn.Parameter(torch.zeros(1, config.extra_tokens, config.width))
        self.context_encoder = ContextEncoder(config)

    def positions(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """Return the positional network's output (B, T, D).

        Each convolution gets zeros where a row has no frames, as if the row were alone; the original lets the norms
        between them fill the padding, and frames up to 45 away then depend on the batch.

        Args:
            x: (B, T, D).
            valid: (B, T), True where a row has a frame; None where all have.
        """
        if self.positional_norm:
            norm, network = self.relative_positional_encoder
            x = norm(x)
        else:
            network = self.relative_positional_encoder
        x = x.transpose(1, 2)
        for layer in network[1:-1]:
            x = layer(x if valid is None else x * valid[:, None])
        return x.transpose(1, 2)


class Data2Vec2(nn.Module):
    """The encoder of data2vec 2.0 or emotion2vec, for inference.

    Args:
        config: its sizes.
    """

    def __init__(self, config: Data2Vec2Config) -> None:
        super().__init__()
        self.config = config
        self.modality_encoders = nn.ModuleDict({"AUDIO": AudioEncoder(config)})
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, config.norm_eps) if config.norm_first else nn.Identity()

    def forward(self, waves: Sequence[Tensor], means: bool = False) -> Output:
        """Encode a batch; each row is as if it were alone.

        Args:
            waves: float (n_b,) each, 16 kHz, at least `config.field` samples.
            means: whether to return the means of all layers too.
        """
        audio = self.modality_encoders["AUDIO"]
        device = audio.alibi_scale.device
        # fairseq's normalize=True: over the utterance's own samples, and with 1e-5 where transformers adds 1e-7.
        waves = [F.layer_norm(wave.to(device), wave.shape) for wave in waves]
        lengths = torch.tensor([self.config.frames(len(wave)) for wave in waves], device=device)
        x = nn.utils.rnn.pad_sequence(waves, batch_first=True)[:, None]
        x = audio.project_features(audio.local_encoder["conv_layers"](x))
        equal = len({len(wave) for wave in waves}) == 1
        valid = None if equal else torch.arange(x.shape[1], device=device) < lengths[:, None]
        x = x + audio.positions(x, valid)

        tokens = self.config.extra_tokens
        if tokens:
            x = torch.cat([audio.extra_tokens.expand(len(x), -1, -1), x], dim=1)
        x = audio.context_encoder.norm(x)

        padded = torch.arange(x.shape[1] - tokens, device=device) >= lengths[:, None]
        layers = []

        def remember(x: Tensor) -> None:
            if means:
                frames = x[:, tokens:].float().masked_fill(padded[:, :, None], 0)
                layers.append(frames.sum(dim=1) / lengths[:, None])

        remember(x)
        blocks = [*audio.context_encoder.blocks, *self.blocks]
        biases = self._biases(x.shape[1] - tokens, valid)
        for number, block in enumerate(blocks, start=1):
            x = block(x, biases[min(number, len(biases)) - 1])
            if number == len(blocks):
                x = self.norm(x)
            remember(x)
        return Output(x[:, tokens:].float(), torch.stack(layers, dim=1) if means else None)

    def _biases(self, frames: int, valid: Tensor | None) -> list[Tensor]:
        """Return what is added to the scores, (1 or B, heads, N, N), one for all blocks or one per block."""
        scale = self.modality_encoders["AUDIO"].alibi_scale.float().clamp(min=0)
        bias = alibi(self.config.heads, frames, self.config.extra_tokens, scale.device)
        biases = [bias * entry for entry in scale]
        if valid is not None:
            padded = ~F.pad(valid, (self.config.extra_tokens, 0), value=True)[:, None, None]
            biases = [bias.masked_fill(padded, float("-inf")) for bias in biases]
        return biases
