"""Networks by name: one line enrols another.

Why it exists: a recipe names a network; what it looks at, where it was published and which recipe uses it stand in one
table. Nothing of PyTorch is imported before one is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tumorboard.errors import InputError
from tumorboard.lab.nets.settings import Build
from tumorboard.lab.recipe import nearest

if TYPE_CHECKING:
    from tumorboard.lab.nets.headed import Encoder, Headed


@dataclass(frozen=True)
class Net:
    """One enrolled network.

    Parameters
    ----------
    maker : str
        Module of this package and function that makes its encoder: ``residual.residual``.
    views : tuple of str
        What it can look at, the usual first.
    source : str
        Where the method and its use were published.
    recipes : tuple of str
        Systems that use it.
    fixed : mapping
        Further arguments of the maker.
    tasks : bool
        Whether each output has a hidden layer of its own.
    """

    maker: str
    views: tuple[str, ...]
    source: str
    recipes: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    tasks: bool = False

    def __call__(
        self, channels: tuple[str, ...] | int, outputs: int, settings: Build | None = None, extras: int = 0
    ) -> Headed:
        """Return the network with random weights, or those of its bundle.

        Parameters
        ----------
        channels : tuple of str or int
            Names of input channels, or how many there are.
        outputs : int
            Numbers that it gives.
        settings : Build, optional
            How it is built.
        extras : int
            Numbers beside the images: clinical columns and flags.

        Returns
        -------
        Headed
            From images (and extras) to (rows, outputs).

        Raises
        ------
        InputError
            It cannot look at the view that is asked for.
        """
        from tumorboard.lab.nets.headed import Headed

        how = settings or Build()
        how = how.model_copy(update={"view": self.view(how.view)})
        names = channels if isinstance(channels, tuple) else tuple(f"channel{n + 1}" for n in range(channels))
        module, _, name = self.maker.partition(".")
        make = getattr(import_module(f"tumorboard.lab.nets.{module}"), name)
        encoder: Encoder = make(names, how, **self.fixed)
        return Headed(encoder, outputs, extras, how.dropout, how.hidden if self.tasks else 0)

    def view(self, asked: str) -> str:
        """Return the view it takes.

        Raises
        ------
        InputError
            It cannot look at the one that is asked for.
        """
        if asked and asked not in self.views:
            raise InputError(f"a view of {', '.join(self.views)} for this network", got=repr(asked), where="network")
        return asked or self.views[0]


_IMAGES = ("cube", "slices", "planes")
_HE = "He K et al., CVPR 2016:770-778"

NETS: dict[str, Net] = {
    "resnet18": Net("residual.residual", _IMAGES, f"{_HE}; Ahmad A et al. 2019 (D31)", ("D3", "D31"), {"depth": 18}),
    "resnet34": Net(
        "residual.residual",
        _IMAGES,
        f"{_HE}; Chang K et al., Clin Cancer Res 2018;24:1073",
        ("D2", "D3"),
        {"depth": 34},
    ),
    "resnet50": Net(
        "residual.residual",
        _IMAGES,
        f"{_HE}; Korfiatis P et al., J Digit Imaging 2017;30:622; Shin I et al., AJNR 2021;42:838",
        ("C3", "D3"),
        {"depth": 50},
    ),
    "densenet": Net(
        "dense.dense", _IMAGES, "Huang G et al., CVPR 2017:4700-4708; Liang S et al., Genes 2018;9:382", ("D5",)
    ),
    "vgg": Net(
        "plain.plain",
        (*_IMAGES, "curve"),
        "Simonyan K, Zisserman A, ICLR 2015; Nie D et al., MICCAI 2016:212; Chang PD et al., AJNR 2017;38:890",
        ("D11", "D23", "E5", "F13"),
    ),
    "multiscale": Net("multiscale.multiscale", _IMAGES, "Akkus Z et al., J Digit Imaging 2017;30:469-476", ("D6",)),
    "multistream": Net(
        "streams.multistream", _IMAGES, "Ge C et al., IEEE Access 2018 (multi-stream 2D CNN with fusion)", ("D9",)
    ),
    "gated": Net(
        "streams.gated",
        _IMAGES,
        "Arevalo J et al., ICLR workshop 2017 (gated unit); Ye F et al. 2017 (grade)",
        ("D22",),
    ),
    "conv_recurrent": Net(
        "recurrent.recurrent",
        ("slices",),
        "Han L, Kamdar MR, Pac Symp Biocomput 2018;23:331-342",
        ("D4",),
        {"cell": "gru"},
    ),
    "cnn_lstm": Net(
        "recurrent.recurrent", ("slices",), "Jang BS et al., Sci Rep 2018;8:12516", ("F6",), {"cell": "lstm"}
    ),
    "attention_lstm": Net("attention.attention", ("curve",), "Choi KS et al., Neuro Oncol 2019;21:1197-1209", ("D19",)),
    "multitask": Net(
        "residual.residual",
        ("slices", "planes", "cube"),
        "Chang P et al., AJNR 2018;39:1201-1207",
        ("D1",),
        {"depth": 18},
        tasks=True,
    ),
    "pretrained": Net(
        "pretrained.pretrained", ("cube",), "the encoder of a bundle; Yosinski J et al., NIPS 2014 (transfer)", ("D5",)
    ),
}
"""Every network by name."""


def net_of(name: str) -> Net:
    """Return a network by name.

    Raises
    ------
    InputError
        There is none; the nearest is proposed.

    Examples
    --------
    >>> net_of("gated").recipes
    ('D22',)
    >>> net_of("resnet19")
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: network: expected a network that exists; got 'resnet19'; did you mean ...
    """
    if name not in NETS:
        raise InputError("a network that exists", got=f"{name!r}{nearest(name, list(NETS))}", where="network")
    return NETS[name]
