"""A tree of images made free of its patients: look, write the key, then clean file by file.

Why it exists: one command for a whole release. The key is on disk before the first file is, each file is
searched before it gets its name, and memory holds one file at a time.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tumorboard.deidentify import nifti
from tumorboard.deidentify.dataset import Rules
from tumorboard.deidentify.faces import FrameCut
from tumorboard.deidentify.identifiers import Identifiers
from tumorboard.deidentify.key import Key, check_passphrase, open_key, save_key
from tumorboard.deidentify.objects import HIT
from tumorboard.deidentify.plan import Count, Found, PatientPlan, Plan, make_plan
from tumorboard.deidentify.read import LeftOut, quiet, read_dicom
from tumorboard.deidentify.report import as_markdown, report_of
from tumorboard.deidentify.secret import Secret
from tumorboard.deidentify.write import cleaned_bytes
from tumorboard.errors import FileFormatError, InputError, OutputError, PartialFailure
from tumorboard.store import locked, write_atomic, write_json

REPORTS = ("deidentification.json", "deidentification.md")
"""Names of the report."""


@dataclass(frozen=True)
class Options:
    """What the user decides.

    Parameters
    ----------
    shift_dates : bool
        Move dates; False keeps the original ones.
    deface : bool
        Cut faces off images of heads.
    key : Path or None
        Key file, made where there is none; None throws the secret away.
    passphrase : str
        Of the key file.
    """

    shift_dates: bool = True
    deface: bool = False
    key: Path | None = field(default=None, repr=False)
    passphrase: str = field(default="", repr=False)

    @property
    def codes(self) -> tuple[str, ...]:
        """De-identification Method codes (CID 7050) of what is done to every file."""
        dates = "113107" if self.shift_dates else "113106"
        return "113100", "113104", "113105", dates, "113108", "113111"


@dataclass
class Deidentified:
    """What was written.

    Parameters
    ----------
    written : Counter of str
        Files a pseudonym.
    left_out : Counter of str
        Files a reason.
    """

    written: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def deidentify_tree(
    inputs: Iterable[Path], out: Path, options: Options | None = None, count: Count = lambda *_: None
) -> Deidentified:
    """De-identify every DICOM and NIfTI file below the inputs (PS3.15 Annex E, Basic Profile with options).

    Parameters
    ----------
    inputs : iterable of Path
        Folders or files.
    out : Path
        Empty, or what the same run wrote before; apart from the inputs.
    options : Options, optional
        Dates, faces, key.
    count : callable
        Hears phase, files done, files in all.

    Returns
    -------
    Deidentified

    Raises
    ------
    InputError
        Nothing can be read, the output or key lies in the wrong place, or the passphrase is wrong.
    PartialFailure
        The self-check found an identifier in some files; they were withdrawn, the others are written.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from tumorboard.io.images import write_volume
    >>> from tumorboard.volume import Volume
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_volume(Volume.of(np.ones((2, 2, 2)), np.eye(4)), Path(d) / "in" / "Doe Jane" / "Doe_T1.nii.gz")
    ...     done = deidentify_tree([Path(d) / "in"], Path(d) / "out")
    ...     [p.name for p in (Path(d) / "out").rglob("*.gz")]
    ['001_T1.nii.gz']
    """
    options, inputs = options or Options(), tuple(inputs)
    _check_places(inputs, out, options)
    key = _key(options)
    plan = make_plan(inputs, key.secret, options.shift_dates, count)
    if not plan.size:
        raise _nothing(plan.left_out)
    _check_output(out, plan)
    if options.key is not None:
        save_key(key.with_entries(p.entry for p in plan.patients.values()), options.key, options.passphrase)
    with locked(out):
        return _Run(out, options, key.secret, plan, count).go()


@dataclass
class _Run:
    """The second pass."""

    out: Path
    options: Options
    secret: Secret
    plan: Plan
    count: Count
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    done: Deidentified = field(default_factory=Deidentified)
    faces_cut: bool = False

    def go(self) -> Deidentified:
        self.done.left_out.update(self.plan.left_out)
        seen = 0
        with quiet():
            for patient in self.plan.patients.values():
                rules = self._rules(patient)
                cuts: dict[tuple[str, str], FrameCut] = {}
                for found, target in patient.targets():
                    seen += 1
                    self.count("writing", seen, self.plan.size)
                    if self.options.deface and found.uid and found.frame not in cuts:
                        cuts = {found.frame: FrameCut.of(f.path for f in patient.files if f.frame == found.frame)}
                    self._one(found, self.out / target, rules, cuts.get(found.frame))
        self._report()
        if self.done.left_out[HIT]:
            told = f"{self.done.left_out[HIT]} files in which an original identifier was found; they were withdrawn"
            raise PartialFailure("files free of identifiers", got=told, remedy="report it; do not release those files")
        if not self.done.written:
            raise _nothing(self.done.left_out)
        return self.done

    def _one(self, found: Found, target: Path, rules: Rules, cut: FrameCut | None) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        try:
            content, clear = self._content(found, rules, cut, counts)
        except LeftOut as error:
            self._leave_out(str(error), target)
            return
        if rules.known.in_bytes(clear) or (found.uid and _text_hit(content, rules.known)):
            self._leave_out(HIT, target)
            return
        write_atomic(target, content)
        self.counts += counts
        self.done.written[rules.pseudonym] += 1

    def _content(
        self, found: Found, rules: Rules, cut: FrameCut | None, counts: Counter[tuple[str, str]]
    ) -> tuple[bytes, bytes]:
        """Return a cleaned file, and its bytes unpacked."""
        if not found.uid:
            return nifti.cleaned_bytes(found.path, deface=self.options.deface)
        dataset = read_dicom(found.path, pixels=True)
        codes = self.options.codes
        if cut is not None and cut.apply(dataset, found.path):
            codes = (codes[0], "113102", *codes[1:])
            self.faces_cut = True
        content = cleaned_bytes(dataset, rules, codes, counts)
        return content, content

    def _rules(self, patient: PatientPlan) -> Rules:
        days = patient.entry.shift_days if self.options.shift_dates else None
        return Rules(self.secret, patient.entry.pseudonym, days, patient.known)

    def _leave_out(self, why: str, target: Path) -> None:
        self.done.left_out[why] += 1
        target.unlink(missing_ok=True)

    def _report(self) -> None:
        codes = self.options.codes
        codes = (codes[0], "113102", *codes[1:]) if self.faces_cut else codes
        short = sum(len(p.known.unsearchable) for p in self.plan.patients.values())
        report = report_of(self.counts, codes, self.done.written, self.done.left_out, short)
        write_json(self.out / REPORTS[0], report)
        write_atomic(self.out / REPORTS[1], as_markdown(report))


def _nothing(left_out: Counter[str]) -> FileFormatError:
    told = "; ".join(f"{n} x {why}" for why, n in sorted(left_out.items()) if n) or "no files"
    return FileFormatError("DICOM or NIfTI files that may leave", got=told, remedy="give the folder that holds them")


def _text_hit(content: bytes, known: Identifiers) -> bool:
    """Read back what will be written, and search its text values for the short identifiers too."""
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    return known.in_dataset(dataset) or known.in_dataset(dataset.file_meta)


def _key(options: Options) -> Key:
    """Return the key of the run: the one in the file, or a fresh one."""
    if options.key is None:
        return Key(Secret.fresh())
    check_passphrase(options.passphrase)
    return open_key(options.key, options.passphrase) if options.key.exists() else Key(Secret.fresh())


def _check_places(inputs: tuple[Path, ...], out: Path, options: Options) -> None:
    """Refuse an output inside an input or around one, and a key inside the output."""
    place = out.resolve()
    for given in inputs:
        root = given.resolve()
        if not root.exists():
            raise InputError("a folder or file that exists", got="none there", where="input", remedy="check its name")
        if place == root or root in place.parents or place in root.parents:
            told = "choose another --out, so that originals and results stay apart"
            raise OutputError("an output folder apart from the input", got="one within", where="output", remedy=told)
    if options.key is not None and place in options.key.resolve().parents:
        told = "keep the key in another folder, which is not passed on"
        raise OutputError("a key file outside the output", got="one inside it", where="--key", remedy=told)


def _check_output(out: Path, plan: Plan) -> None:
    """Refuse a folder that holds anything this run would not write."""
    if not out.exists():
        return
    planned = {out / t for p in plan.patients.values() for _, t in p.targets()}
    planned |= {out / name for name in REPORTS}
    others = [p for p in out.rglob("*") if not p.is_dir() and p not in planned and not p.name.startswith(".tumorboard")]
    if others:
        raise OutputError(
            "an empty output folder, or that of the same run with the same key",
            got=f"{len(others)} other files in it",
            where="output",
            remedy="choose another --out",
        )
