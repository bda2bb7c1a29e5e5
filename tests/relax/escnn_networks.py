"""Small networks of escnn, as users write them."""

from __future__ import annotations

from torch import nn


def _space(name):
    from escnn import gspaces

    spaces = {
        "C_4": lambda: gspaces.rot2dOnR2(4),
        "D_8": lambda: gspaces.flipRot2dOnR2(8),
        "SO(2)": lambda: gspaces.rot2dOnR2(-1, maximum_frequency=3),
        "O(2)": lambda: gspaces.flipRot2dOnR2(-1, maximum_frequency=3),
        "SO(3)": lambda: gspaces.rot3dOnR3(),
    }
    return spaces[name]()


def c4_regular():
    """Regular fields, a mask, antialiased pooling, pooling over the group."""
    import escnn.nn as enn

    space = _space("C_4")
    image, fields = enn.FieldType(space, [space.trivial_repr]), enn.FieldType(space, 2 * [space.regular_repr])
    return enn.SequentialModule(
        enn.MaskModule(image, 9, margin=1),
        enn.R2Conv(image, fields, 3, padding=1, bias=False),
        enn.InnerBatchNorm(fields),
        enn.ReLU(fields),
        enn.PointwiseAvgPoolAntialiased(fields, sigma=0.66, stride=2),
        enn.R2Conv(fields, fields, 3, padding=1, padding_mode="circular"),
        enn.ELU(fields),
        enn.PointwiseMaxPool(fields, 3, stride=2),
        enn.GroupPooling(fields),
    )


def d8_regular():
    """Regular and quotient fields of D_8, whose order in the type is mixed."""
    import escnn.nn as enn

    space = _space("D_8")
    image = enn.FieldType(space, [space.trivial_repr])
    fields = enn.FieldType(space, [space.regular_repr, space.trivial_repr])
    return enn.SequentialModule(
        enn.R2Conv(image, fields, 3, padding=1, bias=False),
        enn.InnerBatchNorm(fields),
        enn.ReLU(fields),
        enn.R2Conv(fields, image, 3, padding=1),
    )


def _gated(name, irreps, conv, kernel_size):
    import escnn.nn as enn

    space = _space(name)
    image = enn.FieldType(space, [space.trivial_repr])
    scalars = enn.FieldType(space, 2 * [space.trivial_repr])
    vectors = enn.FieldType(space, [space.irrep(*irrep) for irrep in irreps])
    gates = enn.FieldType(space, len(irreps) * [space.trivial_repr])
    gated = gates + vectors
    return enn.SequentialModule(
        conv(image, scalars + gated, kernel_size, padding=kernel_size // 2),
        enn.MultipleModule(
            scalars + gated,
            len(scalars) * ["scalars"] + len(gated) * ["gated"],
            [(enn.ELU(scalars), "scalars"), (enn.GatedNonLinearity1(gated), "gated")],
        ),
        conv(scalars + vectors, vectors, kernel_size, padding=kernel_size // 2),
        enn.NormNonLinearity(vectors, function="squash", bias=False),
        enn.NormPool(vectors),
    )


def so2_gated():
    """Scalars and gated vectors of SO(2)."""
    import escnn.nn as enn

    return _gated("SO(2)", [(1,), (2,)], enn.R2Conv, 5)


def o2_gated():
    """The same of O(2)."""
    import escnn.nn as enn

    return _gated("O(2)", [(1, 1), (1, 2)], enn.R2Conv, 5)


def so3_volumes():
    """The same of SO(3), in volumes."""
    import escnn.nn as enn

    return _gated("SO(3)", [(1,)], enn.R3Conv, 3)


class Block(nn.Module):
    """A residual block of a wide residual network, as a user writes it."""

    def __init__(self, source, target, stride):
        import escnn.nn as enn

        super().__init__()
        self.norm1, self.relu1 = enn.InnerBatchNorm(source), enn.ReLU(source, inplace=True)
        self.conv1 = enn.R2Conv(source, target, 3, padding=1, stride=stride, bias=False)
        self.norm2, self.relu2 = enn.InnerBatchNorm(target), enn.ReLU(target, inplace=True)
        self.conv2 = enn.R2Conv(target, target, 3, padding=1, bias=False)
        self.shortcut = enn.R2Conv(source, target, 1, stride=stride, bias=False)

    def forward(self, x):
        x = self.relu1(self.norm1(x))
        out = self.conv2(self.relu2(self.norm2(self.conv1(x))))
        return out + self.shortcut(x)


class WideResNet(nn.Module):
    """A user's own module: plain tensors in and out, modules of escnn within, plain layers at the end."""

    def __init__(self):
        import escnn.nn as enn

        super().__init__()
        space = _space("C_4")
        self.input_type = enn.FieldType(space, [space.trivial_repr])
        narrow, wide = (enn.FieldType(space, count * [space.regular_repr]) for count in (2, 3))
        self.stem = enn.R2Conv(self.input_type, narrow, 3, padding=1, bias=False)
        self.blocks = nn.ModuleList([Block(narrow, narrow, 1), Block(narrow, wide, 2)])
        self.pool = enn.GroupPooling(wide)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        fields = self.stem(self.input_type(x))
        for block in self.blocks:
            fields = block(fields)
        return self.head(self.pool(fields).tensor.mean((2, 3)))


NETWORKS = {
    "C_4 regular": c4_regular,
    "D_8 regular": d8_regular,
    "SO(2) gated": so2_gated,
    "O(2) gated": o2_gated,
    "SO(3) volumes": so3_volumes,
    "WRN": WideResNet,
}
