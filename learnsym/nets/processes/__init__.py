"""Neural processes: from a context of any number of values, anywhere, to a Gaussian for each target.

Each is equivariant by itself, `net(x)`, and takes extra inputs at locations, `net(x, extras)`, if it has any; see
`relax.processes`.
"""

from learnsym.nets.processes.banked_body import BankedBody
from learnsym.nets.processes.conv_body import ConvBody
from learnsym.nets.processes.conv_cnp import ConvCNP
from learnsym.nets.processes.steerable_body import SteerableBody
from learnsym.nets.processes.tnp import TNP, TranslationTNP

__all__ = ["TNP", "BankedBody", "ConvBody", "ConvCNP", "SteerableBody", "TranslationTNP"]
