"""The whole way in a real department: scanner, node, chain, PACS, worklist, reading room, corrected SEG in the PACS."""

from __future__ import annotations

import io
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pydicom
import pytest

pytestmark = pytest.mark.slow

RANKS = {"STAT": 0, "HIGH": 1, "MEDIUM": 2, "not judged": 2, "LOW": 3}
MINUTES_MS = 1_200_000
TUMORBOARD = [sys.executable, "-c", "from tumorboard.cli.main import main; main()", "serve"]
SETTINGS = """home = "."
[node]
port = {node}
quiet_seconds = 5
[web]
port = {web}
[jobs]
segmenter = "fuzzy"
[keep]
reserve_gib = 0.1
[returning]
to = "pacs"
[[peers]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = {pacs}
"""


@pytest.fixture
def archive(hospital, tmp_path):
    """An Orthanc as the hospital's archive."""
    with hospital.orthanc(tmp_path / "orthanc") as running:
        yield running


@pytest.fixture
def department(hospital, archive, tmp_path, wait_until):
    """A department beside it, in processes of its own: (DICOM port, address of the pages, name and password)."""
    file, node, web = tmp_path / "home" / "department.toml", hospital.free_port(), hospital.free_port()
    file.parent.mkdir()
    file.write_text(SETTINGS.format(node=node, web=web, pacs=archive.port))
    person = "anna", secrets.token_urlsafe(12)
    words = ["user", "add", person[0], "--role", "reader", "--settings", str(file), "--stdin"]
    subprocess.run([*TUMORBOARD, *words], input=person[1], text=True, check=True)
    process = subprocess.Popen([*TUMORBOARD, "--settings", str(file)])
    try:
        address = f"http://127.0.0.1:{web}"
        wait_until(lambda: socket.create_connection(("127.0.0.1", node), timeout=10).close() is None)
        wait_until(lambda: urllib.request.urlopen(f"{address}/login", timeout=10).close() is None)
        yield node, address, person
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def test_from_the_scanner_to_a_corrected_outline_in_the_archive(
    hospital, archive, department, browse, coarse_dicom, tmp_path, shot
):
    expect = pytest.importorskip("playwright.sync_api").expect
    node, address, person = department
    for folder in _two_patients(coarse_dicom, tmp_path):
        hospital.send(folder, node, "TUMORBOARD")
    page = browse(address)
    page.set_default_timeout(MINUTES_MS)
    _log_in(page, address, person, shot)

    shot(page, "flow-2-at-work")
    expect(page.locator("#rows tbody .s-done")).to_have_count(1, timeout=MINUTES_MS)  # the list renews itself
    expect(page.locator("#rows tbody .s-attention")).to_have_count(1, timeout=MINUTES_MS)
    chips = page.locator("#rows tbody .chip:not(.digital)").all_inner_texts()
    assert chips == sorted(chips, key=RANKS.get)
    assert page.locator("#rows a.open").all_inner_texts() == ["Digital, Patient", "Digital, Two"]
    shot(page, "flow-3-worklist")
    before = _outlines(archive, 1)

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/*", wait_until="load")
    page.wait_for_function(PICTURED)
    shot(page, "flow-4-study")
    page.keyboard.press("r")
    page.wait_for_selector("body[data-ready=yes]", state="attached")
    shot(page, "flow-5-room")
    _scroll(page, expect)
    volume, painted = _paint(page)
    assert painted > volume
    shot(page, "flow-6-painted")
    _accept(page)
    shot(page, "flow-7-accepted")

    after = _outlines(archive, 2)
    (old,), (new,) = before.values(), [after[uid] for uid in after.keys() - before.keys()]
    assert {s.SegmentAlgorithmType for s in new.SegmentSequence} == {"SEMIAUTOMATIC"}
    # the object lies on the images after contrast, of thicker slices than those that were painted on
    assert _volume_ml(new, "ET") == pytest.approx(painted, rel=0.05)
    assert _volume_ml(new, "ET") - _volume_ml(old, "ET") == pytest.approx(painted - volume, rel=0.2)
    _look_and_leave(page, address, shot)


PICTURED = """() => [...document.images].every((image) => {
  const isInView = image.getBoundingClientRect().top < innerHeight;
  return !isInView || (image.complete && image.naturalWidth > 0);
})"""
"""Whether each picture in view has come."""


def _log_in(page, address: str, person: tuple[str, str], shot) -> None:
    page.goto(address)
    page.fill("#name", person[0])
    page.fill("#password", person[1])
    shot(page, "flow-1-login")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows")


def _accept(page) -> None:
    page.fill("#comment", "rim was missed")
    page.click("#save")
    page.wait_for_selector("#versions .draft")
    page.click("#accept")
    page.wait_for_selector("#versions .accepted")


def _look_and_leave(page, address: str, shot) -> None:
    page.click("text=Worklist")
    page.wait_for_selector("#rows")
    shot(page, "flow-8-worklist")
    page.locator("tr[data-study] a.open").first.click()
    page.wait_for_url("**/studies/*", wait_until="load")
    page.wait_for_function(PICTURED)
    shot(page, "flow-9-study")
    page.click("text=Log out")
    page.wait_for_url("**/login*")
    shot(page, "flow-10-out")
    page.goto(f"{address}/worklist")
    assert "/login" in page.url


def _two_patients(coarse_dicom: Path, place: Path) -> list[Path]:
    """Return a study of another digital patient that stopped after the localizer, and the first one of the patient."""
    (patient,) = (coarse_dicom / "dicom").iterdir()
    first, other = min(patient.iterdir()), place / "other"
    for path in sorted(first.rglob("IM*")):
        ds = pydicom.dcmread(path)
        if not ds.SeriesDescription.startswith("Localizer"):
            continue
        ds.PatientID, ds.PatientName = "DIGITAL-2", "Digital^Two"
        for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(ds, uid, pydicom.uid.generate_uid(entropy_srcs=["other", getattr(ds, uid)]))
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        target = other / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(target)
    return [other, first]  # the urgent one comes last


def _outlines(archive, count: int, seconds: float = 1200.0) -> dict[str, pydicom.Dataset]:
    """Wait until so many SEG objects are in the archive; return them by UID."""
    end = time.monotonic() + seconds
    while True:
        found = [
            i
            for key in archive.get("/series")
            if (series := archive.get(f"/series/{key}"))["MainDicomTags"]["Modality"] == "SEG"
            for i in series["Instances"]
        ]
        if len(found) >= count:
            break
        assert time.monotonic() < end, f"{len(found)} of {count} SEG objects are in the archive"
        time.sleep(1)
    objects = []
    for key in found:
        with urllib.request.urlopen(f"{archive.address}/instances/{key}/file", timeout=30) as answer:
            objects.append(pydicom.dcmread(io.BytesIO(answer.read())))
    return {ds.SOPInstanceUID: ds for ds in objects}


def _scroll(page, expect) -> None:
    foot = page.locator(".pane .foot").first
    before = foot.inner_text()
    page.locator(".pane .over").first.hover()
    page.mouse.wheel(0, 100)
    expect(foot).not_to_have_text(before, timeout=MINUTES_MS)


def _paint(page) -> tuple[float, float]:
    """Draw enhancing tumour with a ball of 10 mm; return its volume in mL before and after."""
    volume = float(page.inner_text("#volume-ET"))
    page.keyboard.press("b")
    page.keyboard.press("3")
    page.check("#ball")
    page.fill("#radius", "10")
    box = page.locator(".pane .over").first.bounding_box()
    x, y = box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    return volume, float(page.inner_text("#volume-ET"))


def _volume_ml(ds: pydicom.Dataset, label: str) -> float:
    """Return the volume of a segment, counted in the object's own pixels."""
    (number,) = [s.SegmentNumber for s in ds.SegmentSequence if s.SegmentLabel == label]
    frames = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
    of = [f.SegmentIdentificationSequence[0].ReferencedSegmentNumber for f in ds.PerFrameFunctionalGroupsSequence]
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    voxel = float(np.prod(measures.PixelSpacing)) * float(measures.SpacingBetweenSlices)
    return sum(int(frame.sum()) for frame, one in zip(frames, of, strict=True) if one == number) * voxel / 1000
