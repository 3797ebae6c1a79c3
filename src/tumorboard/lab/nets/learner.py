"""An end-to-end network as a learner: from crops and columns to predictions, and back to what it looked at.

Why it exists: the frame treats a network as any other learner; explanations and prototypes need its module, its last
convolution and its activations. Its weights are kept as safetensors; nothing of it is pickled.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import ValidationError

from tumorboard.errors import FileFormatError, InputError
from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.learners.cox import breslow, survival_curve
from tumorboard.lab.nets.images import Images
from tumorboard.lab.nets.registry import net_of
from tumorboard.lab.nets.settings import NetworkSet
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes, nearest
from tumorboard.store import write_atomic

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tumorboard.lab.nets.headed import Headed
    from tumorboard.lab.nets.losses import Task
    from tumorboard.lab.nets.train import History, Rows

_TOLD = "tumorboard"
"""Key of the metadata in the file of weights."""


class ImageNetwork(Learner):
    """A network that learns from images and the columns beside them.

    Parameters
    ----------
    settings : NetworkSet
        Which network, and how it is trained.

    Examples
    --------
    >>> crops = np.random.default_rng(0).normal(size=(12, 1, 8, 8, 8)).astype(np.float32)
    >>> crops[::2] += 2
    >>> images, none = Images.of(crops, ("T1C",)), np.empty((12, 0))
    >>> learner = ImageNetwork(NetworkSet(net="vgg", width=2, epochs=2, hold=0, device="cpu"))
    >>> learner.fit_images(images, none, Outcome.binary([1, 0] * 6)).predict_images(images, none).shape
    (12, 1)
    """

    takes_missing = True
    takes_images = True
    joint = True
    """All labels of a multilabel outcome at once."""

    module_: Headed
    task_: Task
    history_: History
    mean_: Floats
    spread_: Floats
    times_: Floats
    hazard_: Floats

    def __init__(self, settings: NetworkSet) -> None:
        net_of(settings.net).view(settings.view)  # an unknown name or view is refused here
        self.settings = settings

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Refuse a table alone.

        Raises
        ------
        InputError
            Always: there is no image.
        """
        raise _no_images()

    def predict(self, x: Floats) -> Floats:
        """Refuse a table alone.

        Raises
        ------
        InputError
            Always: there is no image.
        """
        raise _no_images()

    def fit_images(self, images: Images, x: Floats, outcome: Outcome) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        images : Images
            Crops of the rows.
        x : ndarray, shape (rows, columns)
            Columns beside them; may have none. NaN counts as the mean.
        outcome : Outcome
            Of the rows.

        Raises
        ------
        InputError
            One class or no event, or images that the network cannot look at.
        """
        from tumorboard.lab.nets.losses import task_of
        from tumorboard.lab.nets.train import held_out, seeded, standard, trained

        how = self.settings.model_copy(update={"kind": outcome.kind.value})
        for stale in ("module_", "times_", "hazard_"):
            self.__dict__.pop(stale, None)
        self.task_ = task = task_of(outcome, how.balance)
        self.channels_, self.kind_, self.view_ = images.channels, outcome.kind.value, self._view(images)
        seen = images.seen_as(self.view_)
        held = held_out(outcome, seen.patients, how.hold, how.seed)
        held = held if _teaches(outcome.take(~held)) else np.zeros_like(held)
        self.mean_, self.spread_ = standard(x[~held])
        with seeded(how.seed):
            self.module_ = self._built()
            rows = self._rows(seen, x, outcome)
            kept = rows.take(np.flatnonzero(held)) if held.any() else None
            self.history_ = trained(self.module_, rows.take(np.flatnonzero(~held)), kept, task, seen, how)
        if outcome.kind is Outcomes.SURVIVAL:
            risk = np.exp(np.clip(self.predict_images(images, x)[:, 0], -50, 50))
            self.times_, self.hazard_ = breslow(outcome.days, outcome.events, risk)
        return self

    def predict_images(self, images: Images, x: Floats) -> Floats:
        """Return predictions of rows, shape (m, k); see :meth:`tumorboard.lab.learners.Learner.predict`."""
        from tumorboard.lab.nets.train import outputs

        return self.task_.told(outputs(self.module_, *self.tensors(images, x), self.settings))

    def survival_images(self, images: Images, x: Floats, days: Floats) -> Floats | None:
        """Return chances to live beyond ``days``, shape (m, days); None for other outcomes."""
        if self.kind_ != Outcomes.SURVIVAL.value:
            return None
        return survival_curve(self.times_, self.hazard_, self.predict_images(images, x)[:, 0], days)

    def activations(self, images: Images, x: Floats) -> Floats:
        """Return what the last layer sees, shape (m, features): for prototypes and nearest cases."""
        import torch

        crops, extra = self.tensors(images, x)
        with torch.inference_mode():
            parts = [
                self.module_.penultimate(c, e)
                for c, e in zip(torch.split(crops, 16), torch.split(extra, 16), strict=True)
            ]
        found: Floats = torch.cat(parts).double().numpy()
        return found[:, : self.module_.encoder.features]

    def tensors(self, images: Images, x: Floats) -> tuple[Tensor, Tensor]:
        """Return crops and extras as :attr:`module` takes them."""
        import torch

        seen = self._seen(images)
        columns = np.nan_to_num((x - self.mean_) / self.spread_)
        flags = [seen.present] if self.settings.flags else []
        extra = np.hstack([columns, *flags]).astype(np.float32)
        return torch.from_numpy(seen.stacked), torch.from_numpy(extra)

    @property
    def module(self) -> Headed:
        """The network; ``module(*learner.tensors(images, x))`` are its logits."""
        return self.module_

    @property
    def last_conv(self) -> nn.Module | None:
        """Module whose output is the last map of features, for Grad-CAM; None for curves."""
        return self.module_.last_conv

    def save(self, path: Path) -> None:
        """Write weights and settings as one safetensors file.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        write_atomic(path, self._packed())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileFormatError
            It is another file, or a damaged one.
        """
        try:
            return cls._unpacked(path.read_bytes())
        except OSError as error:
            raise FileFormatError("weights of a network", got="no file", where="network") from error

    # --- how it is kept: skops and others see settings and bytes, never a module --------------------------------

    def __getstate__(self) -> dict[str, Any]:
        if not hasattr(self, "module_"):
            return {"settings": self.settings.model_dump_json()}
        return {"packed": np.frombuffer(self._packed(), dtype=np.uint8)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "packed" not in state:
            self.settings = NetworkSet.model_validate_json(state["settings"])
            return
        self.__dict__.update(self._unpacked(np.asarray(state["packed"], dtype=np.uint8).tobytes()).__dict__)

    def _packed(self) -> bytes:
        from safetensors.torch import save

        from tumorboard.lab.nets.losses import written

        told = {
            "settings": self.settings.model_dump(mode="json"),
            "channels": list(self.channels_),
            "kind": self.kind_,
            "mean": self.mean_.tolist(),
            "spread": self.spread_.tolist(),
            "view": self.view_,
            "task": written(self.task_),
            "baseline": [self.times_.tolist(), self.hazard_.tolist()] if hasattr(self, "times_") else None,
        }
        weights = {name: value.contiguous() for name, value in self.module_.state_dict().items()}
        return save(weights, metadata={_TOLD: json.dumps(told)})

    @classmethod
    def _unpacked(cls, content: bytes) -> Self:
        from safetensors import SafetensorError
        from safetensors.torch import load

        from tumorboard.lab.nets.losses import task_read

        try:
            size = int.from_bytes(content[:8], "little")
            told = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_TOLD])
            made = cls(NetworkSet.model_validate(told["settings"]))
            made.channels_, made.kind_, made.view_ = tuple(told["channels"]), told["kind"], told["view"]
            made.mean_, made.spread_ = np.array(told["mean"]), np.array(told["spread"])
            made.task_ = task_read(told["kind"], told["task"])
            if told["baseline"] is not None:
                made.times_, made.hazard_ = (np.array(v) for v in told["baseline"])
            made.module_ = made._built()
            made.module_.load_state_dict(load(content))
            made.module_.eval()
        except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise FileFormatError(
                "weights of a network that tumorboard wrote", got="others", where="network"
            ) from error
        return made

    # --- parts ----------------------------------------------------------------------------------------------------

    def _view(self, images: Images) -> str:
        """Return the view that is asked for, else the images' own where the network has it, else its first."""
        net, asked = net_of(self.settings.net), self.settings.view
        return images.view if not asked and images.view in net.views else net.view(asked)

    def _seen(self, images: Images) -> Images:
        if images.channels != self.channels_:
            expected = f"channels {', '.join(self.channels_)}"
            raise InputError(expected, got=", ".join(images.channels), where="network")
        return images.seen_as(self.view_)

    def _built(self) -> Headed:
        extras = len(self.mean_) + (len(self.channels_) if self.settings.flags else 0)
        build = self.settings.build.model_copy(update={"view": self.view_})
        return net_of(self.settings.net)(self.channels_, self.task_.outputs, build, extras)

    def _rows(self, seen: Images, x: Floats, outcome: Outcome) -> Rows:
        from tumorboard.lab.nets.train import Rows

        crops, extra = self.tensors(seen, x)
        return Rows(crops, extra, self.task_.targets(outcome))


def image_network(**told: Any) -> ImageNetwork:
    """Return a network that has learned nothing; parameters are those of :class:`NetworkSet`.

    Raises
    ------
    InputError
        An unknown network or setting (the nearest is proposed), or a value that does not fit.

    Examples
    --------
    >>> image_network(net="gated", width=4).settings.width
    4
    >>> image_network(epochs=0)
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: network: expected a value that fits 'epochs'; got Input should be greater than ...
    """
    try:
        settings = NetworkSet.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(p) for p in first["loc"][:1])
        if first["type"] == "extra_forbidden":
            got = f"{key!r}{nearest(key, list(NetworkSet.model_fields))}"
            raise InputError("a setting of the network", got=got, where="network") from error
        raise InputError(f"a value that fits {key!r}", got=first["msg"], where="network") from error
    return ImageNetwork(settings)


# the registry of learners reads settings from the signature
setattr(image_network, "__signature__", inspect.signature(NetworkSet))  # noqa: B010 - functions have no such field


def _teaches(outcome: Outcome) -> bool:
    """Tell whether something can be learned from rows."""
    from tumorboard.lab.nets.losses import task_of

    try:
        task_of(outcome)
    except (InputError, ValueError):  # no rows at all
        return False
    return True


def _no_images() -> InputError:
    remedy = "add {name: network} to representation"
    return InputError("images beside the columns", got="columns alone", where="learner network", remedy=remedy)
