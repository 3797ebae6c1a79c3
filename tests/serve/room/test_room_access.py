"""Who may do what in the reading room, what is served, and that nothing else is."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

KEY = "study0000000000{}"
STUDY = f"/room/{KEY.format(3)}"
ROUTES = [
    ("GET", STUDY, {"": 303, "reader": 200, "researcher": 200, "admin": 200}),
    ("GET", f"{STUDY}/state", {"": 303, "reader": 200, "researcher": 200, "admin": 200}),
    ("GET", f"{STUDY}/progress", {"": 303, "reader": 200, "researcher": 200, "admin": 200}),
    ("GET", f"{STUDY}/image/T1C", {"": 303, "reader": 200, "researcher": 200, "admin": 200}),
    ("GET", f"{STUDY}/edits/1/mask", {"": 303, "reader": 404, "researcher": 404, "admin": 404}),
    ("POST", f"{STUDY}/edits", {"": 303, "reader": 422, "researcher": 422, "admin": 422}),
    ("POST", f"{STUDY}/decision", {"": 303, "reader": 422, "researcher": 422, "admin": 422}),
    ("PUT", f"{STUDY}/teaching", {"": 303, "reader": 403, "researcher": 403, "admin": 422}),
]


@pytest.mark.parametrize(("method", "path", "answers"), ROUTES, ids=[f"{m} {p[-12:]}" for m, p, _ in ROUTES])
def test_each_role_at_each_route(department, method, path, answers):
    for role, status in answers.items():
        assert department.client(role).request(method, path).status_code == status, role


def test_a_change_without_its_token_is_refused(department):
    client = department.client()
    client.headers["x-csrf-token"] = "wrong"
    assert client.post(f"{STUDY}/decision", json={"base": "1.0", "state": "accepted"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/room/../../etc/passwd",
        f"{STUDY}/image/..%2f..%2fpatient.json",
        f"{STUDY}/image/T1w",
        f"{STUDY}/edits/0/mask",
        "/room/static/x/..%2froutes.py",
        "/room/static/x/../routes.py",
        "/room/nothing",
        f"{STUDY}/beside/{'f' * 16}/image/T1C",
        f"{STUDY}/beside/{KEY.format(1)}/image/uncertainty",
    ],
)
def test_what_is_not_there_is_not_found(department, path):
    answer = department.client().get(path)
    assert answer.status_code == 404
    assert b"import" not in answer.content


def test_the_page_escapes_names_and_holds_nothing_inline(department):
    answer = department.client().get(STUDY)
    assert "<script>alert" not in answer.text
    assert "Research" in answer.text
    for word in (" style=", "onclick=", "javascript:", "http://", "https://"):
        assert word not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_a_study_that_was_not_worked_on_says_so(department):
    answer = department.client().get(f"/room/{'f' * 16}")
    assert answer.status_code == 200
    assert "nothing to show yet" in answer.text
    assert department.client().get(f"/room/{'f' * 16}/state").status_code == 404


def test_images_are_bytes_on_one_grid_that_browsers_keep(department):
    client = department.client()
    told = client.get(f"{STUDY}/state").json()
    size = int(np.prod(told["grid"]["shape"]))
    for picture in [*told["pictures"], *told["others"][0]["pictures"]]:
        answer = client.get(picture["url"])
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.content) == 352 + size
        assert answer.headers["content-encoding"] == "gzip"
    plain = client.get(told["pictures"][0]["url"], headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == client.get(told["pictures"][0]["url"]).content


def test_greys_rise_with_the_image_and_outside_the_head_is_black(department):
    from tumorboard.io.images import read_volume

    client = department.client()
    image = read_volume(department.case / "ses-03" / "anat" / "sub-digital_ses-03_FLAIR.nii.gz").data
    grey = np.frombuffer(client.get(f"{STUDY}/image/FLAIR").content[352:], np.uint8).reshape(image.shape, order="F")
    assert (grey[image == 0] == 0).mean() > 0.99
    places = np.argsort(image, axis=None)
    inside = places[grey.ravel()[places] > 0]
    assert (np.diff(grey.ravel()[inside].astype(int)) >= 0).all()


def test_another_study_comes_onto_the_grid_by_its_motion(department):
    client = department.client()
    stages = department.case / ".stages"
    shift = np.eye(4)
    shift[0, 3] = 12.0  # two voxels towards the patient's right hand in the earlier study
    places = {"ses-03": np.eye(4).tolist(), "ses-01": np.linalg.inv(shift).tolist()}
    (stages / "response.json").write_text(json.dumps({"to_template": places}))
    told = next(o for o in client.get(f"{STUDY}/state").json()["others"] if o["key"] == KEY.format(1))
    assert told["aligned"]
    shape = client.get(f"{STUDY}/state").json()["grid"]["shape"]
    url = f"/room/{KEY.format(1)}/image/outline"
    own = np.frombuffer(client.get(url).content[352:], np.uint8).reshape(shape, order="F")
    moved = np.frombuffer(client.get(told["outline"]).content[352:], np.uint8).reshape(shape, order="F")
    assert own.any()
    assert np.array_equal(moved[:-2], own[2:])


def test_uncertainty_is_greatest_where_a_membership_is_one_half(department):
    from tumorboard.io.images import read_volume

    client = department.client()
    raw = client.get(f"{STUDY}/image/uncertainty").content
    maps = [read_volume(p).data for p in (department.case / "ses-03" / "seg").glob("*_probseg.nii.gz")]
    expected = np.max([2 * np.minimum(p, 1 - p) for p in maps], axis=0) * 255
    shown = np.frombuffer(raw[352:], np.uint8).reshape(expected.shape, order="F")
    assert np.abs(shown - expected).max() <= 1
    assert shown.max() > 0
    kept = department.site.settings.home / "viewer"
    assert gzip.decompress(next(kept.glob("*/*.nii.gz")).read_bytes())[344:347] == b"n+1"
