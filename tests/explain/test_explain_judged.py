"""Maps judged and drawn: chance, random weights, deletion, agreement, words, pictures."""

from __future__ import annotations

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from tumorboard.errors import InputError
from tumorboard.explain import About, Driver, Drivers, Scope
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.grad_cam import grad_cam
from tumorboard.explain.images.integrated import integrated_gradients
from tumorboard.explain.images.occlusion import occlusion
from tumorboard.explain.images.saliency import saliency_of
from tumorboard.explain.judge.deletion import deletion_insertion
from tumorboard.explain.judge.evaluation import NOT_DONE, evaluate
from tumorboard.explain.judge.inside import PEAK_OUTSIDE, UNRELIABLE, locate
from tumorboard.explain.judge.randomise import forget, layers_with_weights, randomisation_check
from tumorboard.explain.judge.stability import agreement, stability
from tumorboard.explain.pictures import drivers_picture, saliency_picture
from tumorboard.explain.words import column_words, drivers_sentence
from tumorboard.metrics.estimate import Estimate
from tumorboard.volume import Volume


def map_of(values, outcome="IDH mutant", **more):
    asked = Asked(nn.Flatten(), np.zeros((1, *np.shape(values))), about=About(outcome, **more))
    return saliency_of(asked, ("rise", "Petsiuk 2018"), values)


def edges(asked):
    """An 'explanation' that never looks at the network."""
    return saliency_of(asked, ("edges", ""), np.hypot(*np.gradient(asked.pixels[0])))


def some_drivers(*effects, scope=Scope.LOCAL, **more):
    made = tuple(Driver((n,), Estimate(v, v - 0.1, v + 0.1, 30), value=2.0, percentile=80.0) for n, v in effects)
    return Drivers(method="shap", cites="Lundberg 2017", about=About("IDH mutant", **more), scope=scope,
                   unit="log-odds", drivers=made)  # fmt: skip


class TestInside:
    def test_shares_are_counted_against_chance(self):
        values = np.zeros((4, 5))
        values[0, 0], values[3, 4] = 3.0, 1.0
        tumour = np.zeros((4, 5), dtype=bool)
        tumour[0, :2] = True
        found = locate(
            map_of(values), {"WT": tumour, "ET": tumour & (values > 0)}, np.ones((4, 5)), place="left frontal"
        )
        assert [(s.region, s.share, s.expected) for s in found.regions] == [("WT", 0.75, 0.1), ("ET", 0.75, 0.05)]
        assert found.regions[0].lift == pytest.approx(7.5)
        assert found.warnings == ()
        assert found.sentence == (
            "The answer for IDH mutant looks at the whole tumour (75 % of the map, 10 % by chance) (left frontal), "
            "chiefly the enhancing tumour (75 % of the map, 5 % by chance)."
        )

    def test_saliency_off_the_tumour_marks_an_unreliable_case(self):
        values = np.zeros((6, 6))
        values[5, 5] = 1
        tumour = np.zeros((6, 6), dtype=bool)
        tumour[:2] = True
        found = locate(map_of(values, world="digital patients"), {"WT": tumour}, np.ones((6, 6)))
        assert set(found.warnings) == {UNRELIABLE, PEAK_OUTSIDE}
        assert found.sentence.endswith("(digital patients).")

    @given(st.integers(0, 1000))
    @settings(max_examples=15)
    def test_over_all_shifts_the_share_is_that_of_chance(self, seed):
        r = np.random.default_rng(seed)
        values, tumour = r.random((4, 5)), r.random((4, 5)) < 0.3
        tumour[0, 0] = True
        shares = [
            locate(map_of(np.roll(values, (i, j), (0, 1))), {"WT": tumour}, np.ones((4, 5))).regions[0]
            for i in range(4) for j in range(5)
        ]  # fmt: skip
        assert np.mean([s.share for s in shares]) == pytest.approx(shares[0].expected)

    def test_partition_adds_up_and_scale_does_not_matter(self):
        values = np.random.default_rng(0).normal(size=(5, 5, 4))
        half = np.indices(values.shape)[0] > 1
        for scale in (1, 1e6):
            found = locate(map_of(scale * values), {"WT": half, "rest": ~half}, np.ones(values.shape))
            assert sum(s.share for s in found.regions) == pytest.approx(1)

    def test_no_tumour_and_wrong_shapes(self):
        empty = locate(map_of(np.eye(3)), {"WT": np.zeros((3, 3))}, np.ones((3, 3)))
        assert "there is no WT" in empty.warnings[0]
        for regions, field in (({"ET": np.eye(3)}, np.ones((3, 3))), ({"WT": np.eye(4)}, np.ones((3, 3))),
                               ({"WT": np.eye(3)}, np.zeros((3, 3)))):  # fmt: skip
            with pytest.raises(InputError):
                locate(map_of(np.eye(3)), regions, field)


class TestRandomisation:
    def test_what_never_looks_at_the_network_fails(self, pooled):
        if len(pooled.space) == 3:
            pytest.skip("edges are drawn in two dimensions")
        found = randomisation_check(edges, pooled)
        assert not found.passes
        assert found.correlations == pytest.approx([1.0] * len(found.correlations))
        assert "does not show what was learned" in found.sentence

    def test_what_comes_from_the_weights_passes(self, corner):
        asked, _ = corner
        # weights that single out one place: a map that must vanish with them
        torch.manual_seed(0)
        space = asked.space
        net = nn.Sequential(nn.Flatten(), nn.Linear(2 * int(np.prod(space)), 1, bias=False))
        with torch.no_grad():
            net[1].weight.mul_(0.01)
            net[1].weight[0, :9] = 5
        found = randomisation_check(integrated_gradients, dataclasses.replace(asked, network=net, target=0))
        assert found.passes
        assert found.correlations[-1] < 0.3
        assert found.shares[-1] == 1.0

    def test_an_empty_map_does_not_pass(self, pooled):
        assert not randomisation_check(lambda a: saliency_of(a, ("x", ""), np.zeros(a.space)), pooled).passes

    def test_the_network_and_the_generator_are_left_as_they_were(self, pooled):
        before = {k: v.clone() for k, v in pooled.network.state_dict().items()}
        torch.manual_seed(5)
        randomisation_check(grad_cam, pooled)
        after = torch.rand(1)
        torch.manual_seed(5)
        assert torch.equal(after, torch.rand(1))
        assert all(torch.equal(before[k], v) for k, v in pooled.network.state_dict().items())

    def test_every_layer_forgets_and_seeds_repeat(self, averaging):
        one, two = averaging(2), averaging(2)
        for name in layers_with_weights(one):
            before = one.get_submodule(name).weight.clone()
            forget(one.get_submodule(name), seed=3)
            forget(two.get_submodule(name), seed=3)
            assert not torch.equal(before, one.get_submodule(name).weight)
            assert torch.equal(two.get_submodule(name).weight, one.get_submodule(name).weight)


class TestDeletion:
    def test_of_a_linear_network_the_right_order_is_the_best(self):
        weights = np.array([4.0, 3.0, 2.0, 1.0])
        net = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
        net[1].weight.data = torch.tensor(weights[None], dtype=torch.float32)
        asked = Asked(net, np.ones((1, 2, 2)))
        right = deletion_insertion(occlusion(asked, 1), asked, steps=4)
        assert right.deletion.tolist() == pytest.approx([1, 0.6, 0.3, 0.1, 0])
        assert right.deletion_area == pytest.approx(0.375)
        assert right.insertion_area == pytest.approx(0.625)
        turned = saliency_of(asked, ("x", ""), -occlusion(asked, 1).values)
        wrong = deletion_insertion(turned, asked, steps=4)
        assert wrong.deletion_area == pytest.approx(0.625)
        assert (right.faithful, wrong.faithful) == (True, False)

    def test_an_empty_image_must_differ(self):
        asked = Asked(nn.Sequential(nn.Flatten(), nn.Linear(4, 1)), np.zeros((1, 2, 2)))
        with pytest.raises(InputError, match="another baseline"):
            deletion_insertion(map_of(np.eye(2)), asked)


class TestAgreement:
    def test_equal_and_opposite(self):
        one = some_drivers(("a", 3.0), ("b", -2.0), ("c", 1.0), ("d", 0.5))
        assert agreement(one, one, 2).correlation == 1
        other = some_drivers(("d", 3.0), ("c", 2.0), ("b", 1.0), ("a", 0.5))
        found = agreement(one, other, 2)
        assert (found.correlation, found.shared) == (-1.0, 0.0)
        with pytest.raises(InputError, match="two columns"):
            agreement(one, some_drivers(("x", 1.0), ("y", 2.0)))

    def test_a_map_of_noise_is_unstable(self, pooled):
        r = np.random.default_rng(0)
        assert abs(stability(lambda a: saliency_of(a, ("x", ""), r.normal(size=a.space)), pooled)) < 0.4
        assert stability(integrated_gradients, pooled) > 0.8


def test_evaluation_says_what_was_not_done_and_gathers_warnings(corner):
    asked, mask = corner
    found = evaluate(occlusion, asked, {"WT": mask}, np.ones(asked.space))
    assert found.lines[-2:] == NOT_DONE
    assert found.faithfulness.faithful
    assert found.saliency.regions[0].share > 0.5
    useless = evaluate(
        lambda a: saliency_of(a, ("index", ""), np.arange(float(np.prod(a.space))).reshape(a.space)), asked,
        {"WT": mask}, np.ones(asked.space),
    )  # fmt: skip
    assert len(useless.saliency.warnings) >= 4  # off the tumour, peak outside, weights, faithfulness


class TestWords:
    @pytest.mark.parametrize(
        ("column", "words"),
        [
            (
                "FLAIR.ring_0-10mm.original.stat_p10",
                "lowest intensities in the rim around the tumour (0-10mm) on FLAIR",
            ),
            ("shape.TC.original.morph_sphericity", "roundness of the tumour core"),
            ("ADC.WT.log-sigma-2.stat_median", "typical intensity in the whole tumour on ADC after log-sigma-2"),
            ("kps", "kps"),
            ("site=A_1", "site: A 1"),
        ],
    )
    def test_columns_become_changes_and_places(self, column, words):
        assert column_words(column) == words

    def test_for_and_against(self):
        said = drivers_sentence(some_drivers(("age", -1.0), ("kps", 3.0), world="digital patients"))
        assert said == (
            "IDH mutant is made more likely by kps (2, above 80 % of the comparison; +3 log-odds, 75 % of all drivers)"
            "; less likely by age (2, above 80 % of the comparison; -1 log-odds, 25 % of all drivers)"
            " (digital patients)."
        )
        assert "No column says anything" in drivers_sentence(some_drivers(("age", 0.0)))

    @given(st.text(min_size=1, max_size=30))
    def test_any_name_has_words(self, column):
        assert isinstance(column_words(column), str)


class TestPictures:
    def opened(self, picture):
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.data))).convert("RGB")).astype(int)

    def test_bars_say_their_unit_world_and_warnings(self):
        found = some_drivers(("kps", 3.0), ("age", -1.0), world="digital patients").warned("sampled, not exact")
        picture = drivers_picture(dataclasses.replace(found, sentence=drivers_sentence(found)))
        assert "Beware: sampled" in picture.caption
        assert "digital patients" in picture.caption
        assert "local, post-hoc" in picture.caption
        pixels = self.opened(picture)
        orange, blue = (pixels[..., 0] - pixels[..., 2] > 120), (pixels[..., 2] - pixels[..., 0] > 120)
        assert orange.sum() > 2.5 * blue.sum() > 0
        assert np.argwhere(orange)[:, 1].mean() > np.argwhere(blue)[:, 1].mean()

    @pytest.mark.parametrize("flat", [False, True], ids=["3D", "2D"])
    def test_the_patients_right_is_on_the_left(self, flat):
        data = np.random.default_rng(0).random((40, 40, 1 if flat else 5)).astype(np.float32) * 0.2
        values, k = np.zeros(data.shape), 0 if flat else 3
        values[30:36, 30:36, k] = 1.0  # RAS: right, anterior
        found = locate(map_of(values[..., 0] if flat else values), {"WT": values[..., 0] if flat else values},
                       np.ones((40, 40) if flat else data.shape))  # fmt: skip
        picture = saliency_picture(found, Volume.of(data, np.eye(4)), values, title="FLAIR")
        pixels = self.opened(picture)
        half = pixels.shape[1] // 2
        bright = (pixels[..., 0] - pixels[..., 2]) > 60
        assert bright[:, half:].sum() > 500
        rows, columns = np.argwhere(bright[:, half:]).T
        assert columns.mean() < half * 0.4
        assert rows.mean() < pixels.shape[0] * 0.4
        assert f"slice {k + 1} of" in picture.caption
        assert "right is on the left" in picture.caption

    def test_other_grids_and_orientations_are_refused(self):
        data = np.ones((4, 4, 4), dtype=np.float32)
        with pytest.raises(InputError, match="RAS"):
            saliency_picture(map_of(data), Volume.of(data, np.diag([-1.0, 1, 1, 1])))
        with pytest.raises(InputError, match="one shape"):
            saliency_picture(map_of(np.ones((3, 3, 3))), Volume.of(data, np.eye(4)))


def test_records_are_json(corner):
    asked, mask = corner
    found = locate(occlusion(asked), {"WT": mask}, np.ones(asked.space))
    told = json.loads(json.dumps(found.record(), allow_nan=False))
    assert told["taxonomy"] == "local, post-hoc"
    assert told["regions"][0]["region"] == "WT"
