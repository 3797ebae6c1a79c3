"""Corrections: what they measure, who was faster, what is refused, and what becomes of them."""

from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pytest

from tumorboard.chain.correction import read_correction
from tumorboard.io.images import read_volume
from tumorboard.serve.data.people import Audit, Edit
from tumorboard.serve.data.tables import Job, Study

KEY = "study0000000000{}"
STUDY = f"/room/{KEY.format(3)}"


def test_a_painted_ball_adds_its_voxels_times_the_voxel_volume(department, save):
    client = department.client()
    before = {v["region"]: v["value"] for v in client.get(f"{STUDY}/state").json()["numbers"]["volumes"]}
    painted = []

    def paint(labels):
        box = labels[20:24, 20:25, 20:22]
        painted.append(int((box != 3).sum()))
        box[:] = 3

    said = save(client, paint, comment="a ball").json()
    after = {v["region"]: v["value"] for v in said["numbers"]["volumes"]}
    assert after["ET"] - before["ET"] == pytest.approx(painted[0] * 6.0**3 / 1000)
    assert said["edit"]["volume_ml"]["ET"] == pytest.approx([before["ET"], after["ET"]])
    assert said["edit"]["changed_ml"] == pytest.approx(painted[0] * 0.216)
    again = client.get(f"{STUDY}/state").json()
    assert (again["token"], again["numbers"]) == (said["token"], said["numbers"])
    assert again["outline"]["state"] == "draft"
    assert again["edits"][0]["author"] == "Dr. reader"


def test_a_saved_mask_comes_back_bit_for_bit(department, save):
    client = department.client()
    _, before = department.mask(client)
    save(client, lambda labels: labels.__setitem__((slice(5, 9), 10, slice(None)), 2))
    _, after = department.mask(client)
    before[5:9, 10, :] = 2
    assert np.array_equal(before, after)


def test_who_is_slower_is_refused_and_told_who_was_faster(department, save):
    one, two = department.client(), department.client("second")
    base = two.get(f"{STUDY}/state").json()["token"]
    assert save(one, lambda labels: labels.__setitem__((1, 1, 1), 3)).status_code == 201
    late = save(two, lambda labels: labels.__setitem__((2, 2, 2), 3), base=base)
    assert (late.status_code, late.json()["by"]) == (409, "Dr. reader")
    assert two.post(f"{STUDY}/decision", json={"base": base, "state": "accepted"}).status_code == 409
    assert len(two.get(f"{STUDY}/state").json()["edits"]) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda make, d, a: make(d[:-1], a), "shape"),
        (lambda make, d, a: make(d, a + np.diag([0.5, 0, 0, 0])), "grid"),
        (lambda make, d, a: make(d + 7, a), "label"),
        (lambda make, d, a: make(d.astype(np.float32), a), "byte"),
        (lambda make, d, a: base64.b64encode(b"GIF89a").decode(), "NIfTI"),
        (lambda make, d, a: base64.b64encode(gzip.compress(bytes(2**22))).decode(), "at most"),
        (lambda make, d, a: base64.b64encode(gzip.compress(b"\0" * 500)[:-20]).decode(), "part"),
        (lambda make, d, a: "not base64 %%%", "base64"),
        (lambda make, d, a: "A" * 400_000, "at most"),
    ],
)
def test_what_is_no_mask_of_this_study_is_refused(department, save, nifti_of, content, told):
    client = department.client()
    grid = client.get(f"{STUDY}/state").json()["grid"]
    mask = content(nifti_of, np.zeros(grid["shape"], np.uint8), np.array(grid["affine"]))
    answer = save(client, mask=mask)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert client.get(f"{STUDY}/state").json()["edits"] == []
    assert not list(department.site.settings.edits.rglob("*.nii.gz"))


LINE = {"longest_mm": [[0, 0, 0], [1, 1, 1]], "perpendicular_mm": [[0, 0, 0], [1, 0, 0]]}


@pytest.mark.parametrize(
    "said", [{"by_hand": [LINE | {"reading": "x"}]}, {"comment": "x" * 5000}, {"more": 1}, {"base": ""}]
)
def test_what_is_no_change_is_refused(department, save, said):
    answer = save(department.client(), **said)
    assert answer.status_code == 422
    assert "expected" in answer.json()["detail"]


def test_a_body_without_end_is_refused(department):
    client = department.client()

    def endless():
        for _ in range(70):
            yield b" " * 2**20

    assert client.post(f"{STUDY}/edits", content=endless()).status_code == 413


def test_a_class_that_cannot_be_seen_cannot_be_painted(department, save):
    side = department.case / "ses-03" / "seg" / "sub-digital_ses-03_dseg.json"
    told = json.loads(side.read_text())
    side.write_text(json.dumps(told | {"NotAssessable": {"ET": "T1C is missing"}}))
    client = department.client()
    client.get(f"{STUDY}/state")
    answer = save(client, lambda labels: labels.__setitem__((1, 1, 1), 3))
    assert answer.status_code == 422
    assert "ET" in answer.json()["detail"]


def test_moved_diameters_reach_lesion_sum_and_file(department, save):
    client = department.client()
    numbers = client.get(f"{STUDY}/state").json()["numbers"]
    lesion = numbers["lesions"][0]
    reading, first = next(iter(lesion["diameters"].items()))
    (x, y, z), _ = first["longest"]
    hand = {"reading": reading, "longest_mm": [[x, y, z], [x + 30, y + 40, z]]}
    hand["perpendicular_mm"] = [[x, y, z], [x + 16, y - 12, z]]
    said = save(client, by_hand=[hand]).json()
    moved = said["numbers"]["lesions"][0]["diameters"][reading]
    assert (moved["longest_mm"], moved["perpendicular_mm"]) == (pytest.approx(50), pytest.approx(20))
    assert moved["by_hand"]
    sums = {s["name"]: s["value"] for s in said["numbers"]["sums"]}
    before = {s["name"]: s["value"] for s in numbers["sums"]}
    change = 1000 - first["longest_mm"] * first["perpendicular_mm"] * (lesion["measurable"] == "yes")
    assert sums[f"sum_of_products_{reading}"] - before[f"sum_of_products_{reading}"] == pytest.approx(change)
    file = next(department.site.settings.edits.rglob("*.json"))
    assert read_correction(file).by_hand[0].lengths_mm == (50.0, 20.0)


def test_a_decision_is_kept_with_its_author_and_enqueues_a_run(department, save):
    client, site = department.client(), department.site
    save(client, lambda labels: labels.__setitem__((1, 1, 1), 3), comment="rim")
    base = client.get(f"{STUDY}/state").json()["token"]
    said = client.post(f"{STUDY}/decision", json={"base": base, "state": "accepted", "comment": "seen"}).json()
    assert (said["renewed"], said["pool"]) == (1, False)
    with site.db.read() as session:
        edit, study = session.query(Edit).one(), session.query(Study).filter_by(key=KEY.format(3)).one()
        assert (edit.state.value, edit.comment, edit.author.name) == ("accepted", "rim; seen", "reader")
        assert edit.decided_at is not None
        assert (study.version, study.state.value) == (2, "queued")
        job = session.query(Job).filter_by(study_id=study.id).one()
        assert job.input_digest == study.input_digest != "made"
        whats = [row.what for row in session.query(Audit).filter_by(on=KEY.format(3))]
    assert {"outline changed", "outline accepted"} <= set(whats)
    progress = client.get(f"{STUDY}/progress").json()
    assert (progress["state"], progress["waiting"], progress["worker"]) == ("queued", True, False)


def test_an_earlier_correction_renews_the_later_studies_too(department, save):
    client, key = department.client(), KEY.format(1)
    save(client, lambda labels: labels.__setitem__((1, 1, 1), 3), key=key)
    base = client.get(f"/room/{key}/state").json()["token"]
    said = client.post(f"/room/{key}/decision", json={"base": base, "state": "accepted"}).json()
    assert said["renewed"] == 3


def test_a_rejected_draft_gives_way_to_what_was_before(department, save):
    client = department.client()
    _, before = department.mask(client)
    save(client, lambda labels: labels.__setitem__((1, 1, 1), 3))
    base = client.get(f"{STUDY}/state").json()["token"]
    said = client.post(f"{STUDY}/decision", json={"base": base, "state": "rejected"}).json()
    assert said["renewed"] == 0
    assert client.get(f"{STUDY}/state").json()["outline"]["number"] == 0
    assert np.array_equal(department.mask(client)[1], before)


def test_an_outline_accepted_as_it_is_needs_no_run(department):
    client = department.client()
    base = client.get(f"{STUDY}/state").json()["token"]
    said = client.post(f"{STUDY}/decision", json={"base": base, "state": "accepted"}).json()
    assert (said["renewed"], said["edit"]["number"], said["edit"]["changed_ml"]) == (0, 1, 0.0)
    again = client.post(f"{STUDY}/decision", json={"base": base, "state": "accepted"})
    assert again.status_code == 409


def test_only_what_an_administrator_allowed_goes_into_the_pool_and_leaves_it(department, save):
    from tumorboard.learn.folders import read_cases
    from tumorboard.sequences import Sequence

    reader, admin = department.client(), department.client("admin")
    pool = department.site.settings.home / "pool"
    assert reader.put(f"{STUDY}/teaching", json={"allowed": True}).status_code == 403
    assert not admin.put(f"{STUDY}/teaching", json={"allowed": True}).json()["pool"]
    for key in (KEY.format(2), KEY.format(3)):
        admin.put(f"/room/{key}/teaching", json={"allowed": True})
        save(reader, lambda labels: labels.__setitem__((10, 10, 10), 3), key=key)
        assert not list(pool.rglob(f"*{key}*_dseg.nii.gz"))  # a draft teaches nobody
        base = reader.get(f"/room/{key}/state").json()["token"]
        assert reader.post(f"/room/{key}/decision", json={"base": base, "state": "accepted"}).json()["pool"]
    cases = list(read_cases(pool, (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR), 8.0, "tumorboard"))
    assert len(cases) == 2
    assert all(case.present.all() for case in cases)
    mask = next(pool.rglob(f"*{KEY.format(3)}*_dseg.nii.gz"))
    assert read_volume(mask).data[10, 10, 10] == 3
    assert "digital" not in mask.as_posix().removeprefix(pool.as_posix())
    admin.put(f"{STUDY}/teaching", json={"allowed": False})
    assert not list(pool.rglob(f"*{KEY.format(3)}*"))
