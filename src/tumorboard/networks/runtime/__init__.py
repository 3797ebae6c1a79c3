"""Ways to run one network on this machine, and the choice among them by measurement."""

from __future__ import annotations

from tumorboard.networks.runtime.choose import Choice, chosen_backend

__all__ = ["Choice", "chosen_backend"]
