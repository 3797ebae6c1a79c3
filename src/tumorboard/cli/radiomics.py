"""``radiomics``: features of a region, or of every region of a table of cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError, PartialFailure

if TYPE_CHECKING:
    from tumorboard.radiomics.cohort import Case
    from tumorboard.radiomics.settings import RadiomicsSettings
    from tumorboard.radiomics.table import Row

Image = Annotated[
    Path,
    typer.Argument(help="Image; or a CSV with case,image,mask; or the results of a run.", show_default=False),
]
Mask = Annotated[Path | None, typer.Argument(help="Label map on the image's grid.", show_default=False)]
Label = Annotated[int | None, typer.Option("--label", help="Value of the region in the mask.", show_default=False)]
Region = Annotated[str, typer.Option("--region", help="WT, TC, ET, NETC, SNFH or RC instead of a value.")]
Scheme = Annotated[str, typer.Option("--scheme", help="Scheme of the mask's values, with --region.")]
Settings = Annotated[
    str, typer.Option("--settings", "-s", help="Settings by name, a TOML file, or a parameter file of PyRadiomics.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Table to write: .parquet or .csv.", show_default=False)]
Map = Annotated[str, typer.Option("--map", help="Feature to compute around every voxel; --out is then a NIfTI file.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes, for a table of cases.")]


def _radiomics(
    image: Image,
    mask: Mask = None,
    label: Label = None,
    region: Region = "",
    scheme: Scheme = "tumorboard",
    settings: Settings = "mri",
    out: Out = None,
    map_of: Map = "",
    workers: Workers = 1,
) -> None:
    """Compute radiomics features as the IBSI standard defines them, of one region or of a cohort."""
    from tumorboard.cli.show import console, show_warnings
    from tumorboard.radiomics.cohort import Case, cases_of_results, extract_case, read_cases
    from tumorboard.radiomics.table import check_name, write_table

    how = _settings(settings)
    if map_of:
        _map(Case("image", image, _given(mask), label, region, scheme), how, map_of, out)
        return
    if out is not None:
        check_name(out)
    if image.is_dir() or image.suffix.lower() == ".csv":
        if mask is not None or out is None:
            got = "a mask beside it" if mask is not None else "no --out"
            raise InputError("many cases and --out FILE.parquet", got=got, where="radiomics")
        _many(cases_of_results(image) if image.is_dir() else read_cases(image), how, out, workers)
        return
    with console.status("computing; the first time after installation takes half a minute"):
        row = extract_case(Case("image", image, _given(mask), label, region, scheme), how)
    _show(row, how)
    show_warnings(row.found.warnings)
    if out is not None:
        write_table(out, [row], how)
        console.print(f"table: {out}", highlight=False)


def _settings(name: str) -> RadiomicsSettings | Path:
    from tumorboard.radiomics.presets import preset
    from tumorboard.radiomics.pyradiomics.parameters import read_parameters
    from tumorboard.radiomics.settings import read_radiomics_settings

    if name.endswith((".yaml", ".yml", ".json")):
        read_parameters(Path(name))  # refused now, not after the first case
        return Path(name)
    return read_radiomics_settings(Path(name)) if name.endswith(".toml") else preset(name)


def _given(mask: Path | None) -> Path:
    if mask is None:
        raise InputError("an image and its mask", got="no mask", where="radiomics")
    return mask


def _map(case: Case, how: RadiomicsSettings | Path, feature: str, out: Path | None) -> None:
    """Compute a feature around every voxel of a region, and write it as an image; NaN outside."""
    from rich.progress import Progress

    from tumorboard.cli.show import console
    from tumorboard.io.images import NIFTI_SUFFIXES, read_volume, write_volume
    from tumorboard.radiomics.maps import feature_map
    from tumorboard.radiomics.outline import outline

    if isinstance(how, Path):
        raise InputError("settings by name, or a TOML file, for a map", got="a parameter file", where="--settings")
    if out is None or not out.name.endswith(NIFTI_SUFFIXES):
        raise InputError("--out with a name that ends in .nii or .nii.gz", got="another", where="radiomics")
    image, mask = read_volume(case.image, "image"), read_volume(case.mask, "mask")
    with Progress() as progress:
        task = progress.add_task(feature, total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        made = feature_map(image, outline(mask, case.label, case.region, case.scheme), feature, how, tell=tell)
    write_volume(made.with_data(made.data.astype("float32")), out)
    console.print(f"map: {out}", highlight=False)


def _many(cases: tuple[Case, ...], how: RadiomicsSettings | Path, out: Path, workers: int) -> None:
    """Extract all cases, write the table, and tell what was odd and what failed."""
    from rich.progress import Progress

    from tumorboard.cli.show import console, show_warnings
    from tumorboard.radiomics.cohort import extract_cohort
    from tumorboard.radiomics.table import write_table

    with Progress() as progress:
        task = progress.add_task("regions", total=len(cases))
        rows, failed = extract_cohort(cases, how, workers, lambda n: progress.update(task, completed=n))
    show_warnings(f"{row.case} {row.region} {row.sequence}: {w}" for row in rows for w in row.found.warnings)
    for one in failed:
        console.print(f"{one.case}: {one.why}", highlight=False, markup=False)
    if not rows:
        raise InputError("a case that gives features", got=f"none of {len(failed)}", where="cases")
    write_table(out, rows, how)
    console.print(f"{len(rows)} regions, {len(rows[0].found.values)} features each: {out}", highlight=False)
    if failed:
        raise PartialFailure(f"all of {len(rows) + len(failed)} cases", got=f"{len(failed)} that failed", where="cases")


def _show(row: Row, how: RadiomicsSettings | Path) -> None:
    """Print the features of one region, those of the image itself; filtered ones are counted."""
    from rich.table import Table

    from tumorboard.cli.show import console
    from tumorboard.radiomics.extract import ORIGINAL
    from tumorboard.radiomics.table import described

    facts = row.found.facts
    spacing = " x ".join(f"{s:g}" for s in facts.spacing_mm)
    text = f"{facts.voxels} voxels of {spacing} mm, {facts.volume_ml:.2f} mL"
    if facts.levels is not None:
        text += f", {facts.levels} grey levels of width {facts.width:.4g}"
    console.print(f"settings {how.name}: {text}", highlight=False)
    table = Table("feature", "value", "unit", "IBSI", title="Original image", title_justify="left")
    rest = 0
    for name, value in row.found.values.items():
        if not name.startswith(ORIGINAL):
            rest += 1
            continue
        told = described(name)
        unit, code = (told[0].unit, told[0].code) if told is not None else ("", "")
        table.add_row(name.removeprefix(ORIGINAL)[1:], f"{value:.6g}", unit, code)
    console.print(table)
    if rest:
        console.print(f"and {rest} features of filtered images: see --out", highlight=False)


def register_radiomics(app: typer.Typer) -> None:
    """Enrol the command."""
    app.command("radiomics")(_radiomics)
