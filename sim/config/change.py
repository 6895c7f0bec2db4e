"""Change what may change once days are lived: prices, who pays, the bands results are held against, the report."""

from __future__ import annotations

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sim.config import MONEY, Settings
from sim.config.complain import complaints
from sim.config.compose import validated
from sim.config.files import groups, option_of
from sim.errors import BadInput

FREE = (*MONEY, "report")
"""Groups that may change without living a day again."""


def changed(settings: Settings, overrides: list[str]) -> Settings:
    """Return settings with what a person typed for another report, for example `["prices.bus_km.central=3"]`.

    Raises BadInput for what cannot be read, for unknown keys and for keys that change what was lived.
    """
    tree = settings.model_dump(mode="json")
    wrong = complaints(overrides, sweep=True, tree=tree)
    if wrong:
        raise BadInput(*wrong)
    typed = OverridesParser.create().parse_overrides(overrides)
    many = [override.key_or_group for override in typed if override.is_sweep_override()]
    if many:
        raise BadInput(*(f"{key}: a report has one value; price the run once for each." for key in many))
    lived = [override.key_or_group for override in typed if not _is_free(override)]
    if lived:
        raise BadInput(
            f"{', '.join(lived)}: what was lived with other settings is another run (python -m sim run); "
            f"a report may change {', '.join(group for group in FREE if group in tree)} only."
        )
    content = OmegaConf.create(tree)
    for override in sorted(typed, key=lambda each: each.key_or_group not in groups()):  # options first, as Hydra
        key, chosen = override.key_or_group, override.value()
        try:
            if key in groups():
                content[key] = option_of(key, str(chosen))
            else:
                OmegaConf.update(content, key, chosen, merge=True)
        except OmegaConfBaseException as error:
            raise BadInput(f"{key}: {str(error).splitlines()[0]}") from error
    return validated(OmegaConf.to_container(content))


def _is_free(override: Override) -> bool:
    return override.package is None and override.key_or_group.partition(".")[0] in FREE
