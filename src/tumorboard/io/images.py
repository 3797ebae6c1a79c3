"""NIfTI, NRRD and MetaImage to :class:`Volume` and back.

Why it exists: the frame is converted once, here. Files may be damaged or hostile: sizes are checked
before anything is allocated, and whatever a reader throws becomes one clear error that names no path.
Nothing is resampled and no value is changed beyond the file's own scaling.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.errors import FileFormatError, GeometryError, OutputError, TumorboardError
from tumorboard.store import TEMPORARY_PREFIX, output_error, write_atomic
from tumorboard.volume import GRID_TOLERANCE_MM, Volume

MAX_VOXELS = 512_000_000
"""Largest volume that is read: 800 x 800 x 800. A header that asks for more is damaged."""

MAX_DEFLATE = 1100
"""Gzip makes nothing smaller than 1/1032 (zlib technical details); a file cannot hold more than that."""

NIFTI_SUFFIXES = (".nii", ".nii.gz")
ITK_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
IMAGE_SUFFIXES = NIFTI_SUFFIXES + ITK_SUFFIXES
"""File name endings of images that can be read."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def is_image_name(name: str) -> bool:
    """Whether a file name ends as an image that can be read."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_volume(path: Path, where: str = "image") -> Volume:
    """Read a 3-D image.

    Parameters
    ----------
    path : Path
        ``.nii``, ``.nii.gz``, ``.nrrd``, ``.nhdr``, ``.mha`` or ``.mhd``.
    where : str
        Role of the file (``"T1C"``), for messages.

    Returns
    -------
    Volume
        Values in the file's own dtype after its scaling; affine in RAS mm.

    Raises
    ------
    FileFormatError
        Missing, not an image, truncated, complex or RGB, or larger than ``MAX_VOXELS``.
    GeometryError
        Not 3-D, or an affine that cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> v = Volume.of(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([2, 2, 5, 1]))
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_volume(v, Path(d) / "v.nii.gz"); read_volume(Path(d) / "v.nii.gz").spacing_mm
    (2.0, 2.0, 5.0)
    """
    if not path.is_file():
        raise FileFormatError("a file", got="nothing there", where=where, remedy="check the name given")
    reader = _read_nifti if path.name.lower().endswith(NIFTI_SUFFIXES) else _read_itk
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data, affine = reader(path, where)
    except TumorboardError:
        raise
    except MemoryError as error:
        raise FileFormatError("an image that fits into memory", got="one too large", where=where) from error
    except Exception as error:  # readers throw anything on damaged files; all of it means the same to the user
        raise FileFormatError(
            "a readable image", got=_what_is_wrong(path, error), where=where, remedy="copy or convert the file again"
        ) from error
    try:
        return Volume.of(data, affine)
    except GeometryError as error:
        raise GeometryError(error.expected, got=error.got, where=where, remedy=error.remedy) from error


def orientation_note(path: Path) -> str:
    """Say in a sentence that a NIfTI header holds no orientation; the empty string when it holds one.

    Raises nothing: a file that cannot be read is for :func:`read_volume` to refuse.
    """
    if not path.name.lower().endswith(NIFTI_SUFFIXES):
        return ""
    import nibabel as nib

    try:
        header: Any = nib.load(path).header
        silent = int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0
    except Exception:  # whatever a reader throws on a damaged header, it is told when the file is read
        return ""
    return "the header holds no orientation; sides are taken as stored, left may be right" if silent else ""


def _what_is_wrong(path: Path, error: Exception) -> str:
    head = b""
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError:
        return "a file that cannot be opened"
    if not head:
        return "an empty file"
    if isinstance(error, EOFError):
        return "a file that ends early"
    if path.name.lower().endswith(".gz") and head[:2] != b"\x1f\x8b":
        return "a file that is not compressed although its name says so"
    if all(9 <= c < 127 for c in head) and not path.name.lower().endswith(ITK_SUFFIXES):
        return "a text file"
    return f"a damaged or incomplete file ({type(error).__name__})"


def _check_size(shape: tuple[int, ...], where: str) -> None:
    voxels = 1
    for n in shape:
        voxels *= int(n)
    if len(shape) < 1 or min(shape) < 1 or voxels > MAX_VOXELS:
        raise FileFormatError(
            f"1 to {MAX_VOXELS} voxels",
            got=f"shape {tuple(int(n) for n in shape)}",
            where=where,
            remedy="check the header",
        )


def _check_file_holds(path: Path, shape: tuple[int, ...], bytes_per_voxel: int, where: str) -> None:
    """Refuse a header that asks for more than the file can hold, before memory is taken for it."""
    room = path.stat().st_size * (MAX_DEFLATE if path.name.lower().endswith(".gz") else 1)
    if int(np.prod(shape, dtype=np.int64)) * bytes_per_voxel > room:
        raise FileFormatError("as many voxels as the header says", got="a file that ends early", where=where)


def _check_crc(path: Path) -> None:
    """Read to the end, where gzip compares its checksum: a flipped bit must not become a wrong voxel."""
    with gzip.open(path) as stream:
        while stream.read(1 << 22):
            pass


def _read_nifti(path: Path, where: str) -> tuple[Any, Any]:
    import nibabel as nib

    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    image = nib.load(path)
    if not isinstance(image, nib.Nifti1Image | nib.Nifti2Image):
        raise FileFormatError("a NIfTI file", got="another format", where=where)
    _check_size(image.shape, where)
    if image.get_data_dtype().kind not in "iuf":
        raise FileFormatError("one real number per voxel", got=f"dtype {image.get_data_dtype()}", where=where)
    _check_file_holds(path, image.shape, image.get_data_dtype().itemsize, where)
    data = np.asanyarray(image.dataobj)
    if path.name.lower().endswith(".gz"):
        _check_crc(path)
    return np.array(data, dtype=data.dtype.newbyteorder("=")), image.affine


def _read_itk(path: Path, where: str) -> tuple[Any, Any]:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    _check_size(reader.GetSize(), where)
    if reader.GetNumberOfComponents() != 1:
        raise FileFormatError("one number per voxel", got=f"{reader.GetNumberOfComponents()}", where=where)
    image = reader.Execute()
    while image.GetDimension() > 3 and image.GetSize()[-1] == 1:
        image = image[..., 0]
    if image.GetDimension() != 3:
        raise GeometryError("a 3-D volume", got=f"{image.GetDimension()} axes", where=where)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), _LPS_TO_RAS @ affine


def write_volume(volume: Volume, path: Path) -> None:
    """Write a volume atomically; equal volumes give equal bytes.

    Parameters
    ----------
    volume : Volume
        Integer or real values; bool is written as uint8, float16 as float32, long double as float64.
    path : Path
        ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.

    Raises
    ------
    OutputError
        The ending is unknown, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_volume(Volume.of(np.zeros((3, 4, 5), np.int16), np.eye(4)), Path(d) / "v.nrrd")
    ...     read_volume(Path(d) / "v.nrrd").data.dtype
    dtype('int16')
    """
    data = volume.data.astype(_stored_dtype(volume.data.dtype), copy=False)
    if path.name.lower().endswith(NIFTI_SUFFIXES):
        write_atomic(path, _nifti_bytes(data, volume.affine, compress=path.name.lower().endswith(".gz")))
    elif path.suffix.lower() in (".nrrd", ".mha"):
        _write_itk(data, volume, path)
    else:
        raise OutputError("a name ending in .nii.gz, .nii, .nrrd or .mha", got=path.suffix, where="output")


def _stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that files hold: native order, and no exotic sizes."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return dtype.newbyteorder("=")


def _nifti_bytes(data: Any, affine: Any, *, compress: bool) -> bytes:
    import nibabel as nib

    image = nib.Nifti1Image(np.ascontiguousarray(data), affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    corners = [[i, j, k, 1] for i in (0, data.shape[0]) for j in (0, data.shape[1]) for k in (0, data.shape[2])]
    if np.abs(np.array(corners) @ (image.get_qform() - affine).T).max() > GRID_TOLERANCE_MM:
        image.header["qform_code"] = 0  # its float32 quaternion cannot say this place; the sform does, exactly
    raw = image.to_bytes()
    if not compress:
        return bytes(raw)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=1, mtime=0) as stream:
        stream.write(raw)
    return buffer.getvalue()


def to_itk(volume: Volume) -> Any:
    """Return a SimpleITK image with the same voxels and place (LPS); data are copied."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.data.transpose(2, 1, 0)))
    affine = _LPS_TO_RAS @ volume.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def _write_itk(data: Any, volume: Volume, path: Path) -> None:
    import SimpleITK as sitk

    temporary = path.parent / f"{TEMPORARY_PREFIX}{path.stem[:40]}{path.suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(to_itk(volume.with_data(data)), str(temporary), useCompression=True)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise output_error(error if isinstance(error, OSError) else OSError(0, "")) from error
