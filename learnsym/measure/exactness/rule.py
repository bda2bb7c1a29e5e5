"""When one strided operation commutes with flips and quarter turns: its windows must lie centred on its input.

Legend of symbols: `i` side of the input, `n` of the output, `k` kernel, `s` stride, `p` padding, `d` dilation.
"""

from __future__ import annotations


def strided_is_exact(side: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> bool:
    """Whether a strided operation on a square input commutes with quarter turns and flips.

    The windows leave nothing unread at the end, and so lie as far from one border as from the other:

        (i + 2p - d(k-1) - 1) mod s = 0

    For a convolution the filters must be symmetric, or a bank that is closed under the group; then the rule is both
    necessary and sufficient.

    Args:
        side: `i`, pixels along each axis of the input.
        kernel: `k`, taps along each axis.
        stride: `s`, pixels.
        padding: `p`, pixels added on every side.
        dilation: `d`, pixels between taps.

    Raises:
        ValueError: for a stride below 1, or when no window fits.

    Reference:
        Edixhoven, Lengyel and van Gemert 2023, arXiv 2308.11316.

    Example:
        >>> [side for side in range(28, 36) if ls.measure.strided_is_exact(side, kernel=3, stride=2, padding=1)]
        [29, 31, 33, 35]
    """
    if stride < 1:
        raise ValueError(f"stride: got {stride}, must be >= 1 pixel")
    room = side + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(
            f"side: got {side}, must be >= {side - room} for kernel {kernel}, padding {padding} and dilation {dilation}"
        )
    return room % stride == 0


def centre_offset(side: int, count: int, kernel: int, stride: int, before: int, dilation: int) -> float:
    """How far the centre of `count` windows lies behind the centre of an axis, in pixels.

        ((n-1)s + d(k-1)) / 2 - b - (i-1) / 2

    with `b` pixels of padding before the first one. For equal padding on both sides and `n` the number of windows
    that fit this is `-r/2`, with `r` the remainder of `strided_is_exact`.
    """
    return ((count - 1) * stride + dilation * (kernel - 1) - side + 1) / 2 - before


def reads_mirror(side: int, count: int, kernel: int, stride: int, before: int, dilation: int) -> bool:
    """Whether window `o` reads the mirror image of the pixels of window `n-1-o`, where padding is never read.

    The rule of pools: it follows from a centre offset of 0, and also holds for a few tiny maps (`n <= 2`) of which
    padded windows see all there is.
    """
    starts = range(-before, count * stride - before, stride)
    reads = [[q for q in range(a, a + dilation * kernel, dilation) if 0 <= q < side] for a in starts]
    return reads == [[side - 1 - q for q in reversed(window)] for window in reversed(reads)]
