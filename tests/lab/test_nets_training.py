"""The training loop: losses against published libraries, who is held out, what is kept, and what is refused."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from tumorboard.errors import FileFormatError, InputError
from tumorboard.lab.nets import Build, ImageNetwork, Images, NetworkSet, image_network, net_of
from tumorboard.lab.nets.losses import Classes, Labels, cox_loss, task_of
from tumorboard.lab.nets.train import held_out, thaw
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes

QUICK = {"net": "vgg", "width": 2, "epochs": 3, "device": "cpu", "seed": 3}


def images(rows=20, channels=("T1C", "FLAIR"), seed=0, patients=()):
    crops = np.random.default_rng(seed).normal(size=(rows, len(channels), 9, 9, 9))
    crops[1::2, 0] += 1.5
    return Images.of(crops, channels, "cube", patients)


def no_columns(rows=20):
    return np.empty((rows, 0))


def outcomes(rows=20):
    rng = np.random.default_rng(5)
    yes = np.arange(rows) % 2
    labels = np.stack([yes.astype(float), (np.arange(rows) // 2) % 2], axis=1)
    labels[3, 1] = np.nan
    return {
        "binary": Outcome.binary(yes),
        "multiclass": Outcome.multiclass(np.arange(rows) % 3, ("a", "b", "c")),
        "multilabel": Outcome(Outcomes.MULTILABEL, labels, ("idh", "codel")),
        "survival": Outcome.survival(rng.exponential(300, rows) + 1, rng.random(rows) < 0.7),
        "regression": Outcome.regression(50 + 10 * yes + rng.normal(size=rows)),
    }


# --- losses ----------------------------------------------------------------------------------------------------------


def test_partial_likelihood_is_that_of_lifelines():
    import pandas as pd
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(2)
    x, events = rng.normal(size=40), rng.random(40) < 0.6
    days = rng.permutation(40) + 1.0  # no ties: Efron and Breslow agree
    fitted = CoxPHFitter().fit(pd.DataFrame({"x": x, "days": days, "event": events}), "days", "event")
    risk = torch.tensor(x * float(fitted.params_["x"]))
    found = cox_loss(risk, torch.tensor(days), torch.tensor(events))
    assert float(found) * events.sum() == pytest.approx(-fitted.log_likelihood_, rel=1e-6)


def test_partial_likelihood_of_tied_days_by_hand():
    # both die on day 1 among three at risk: log(1 + e + 1) twice, less their own scores (Breslow)
    risk = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    found = cox_loss(risk, torch.tensor([1.0, 1.0, 2.0]), torch.tensor([True, True, False]))
    assert float(found) == pytest.approx((2 * np.log(2 + np.e) - 1) / 2)


def test_no_event_in_a_batch_teaches_nothing():
    risk = torch.ones(3, requires_grad=True)
    loss = cox_loss(risk, torch.arange(3.0), torch.zeros(3, dtype=torch.bool))
    torch.autograd.backward(loss)
    assert not risk.grad.any()


def test_unweighted_losses_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, logits = np.arange(12) % 3, rng.normal(size=(12, 3))
    task = Classes.of(Outcome.multiclass(y, ("a", "b", "c")), balance=False)
    out = torch.tensor(logits)
    assert float(task.loss(out, torch.tensor(y))) == pytest.approx(log_loss(y, task.told(out)))
    binary = Labels.of(Outcome.binary(y > 0), balance=False)
    one = out[:, :1]
    truth = torch.tensor((y > 0).astype(float)).reshape(-1, 1)
    assert float(binary.loss(one, truth)) == pytest.approx(log_loss(y > 0, binary.told(one)[:, 0]))


def test_balanced_training_gives_chances_of_the_cohort():
    """The constant that minimises the weighted loss, told as a chance, is the share of the cohort."""
    y = np.array([1] * 3 + [0] * 17)
    task = Labels.of(Outcome.binary(y), balance=True)
    logit = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([logit], max_iter=100)

    def closure():
        optimiser.zero_grad()
        loss = task.loss(logit.expand(20, 1), torch.tensor(y, dtype=torch.float32).reshape(-1, 1))
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)
    assert logit.item() == pytest.approx(0.0, abs=1e-4)  # both weigh the same
    assert task.told(logit.detach().reshape(1, 1))[0, 0] == pytest.approx(3 / 20, abs=1e-4)


def test_unknown_labels_do_not_count():
    outcome = outcomes()["multilabel"]
    task = task_of(outcome, balance=False)
    target, out = task.targets(outcome), torch.zeros(20, 2)
    before = float(task.loss(out, target))
    out[3, 1] = 9.0  # its label is unknown
    assert float(task.loss(out, target)) == before


@pytest.mark.parametrize("outcome", [Outcome.binary([1] * 6), Outcome.survival([1] * 6, [0] * 6)])
def test_nothing_to_learn_is_refused(outcome):
    with pytest.raises(InputError):
        image_network(**QUICK).fit_images(images(6), no_columns(6), outcome)


# --- every kind of outcome, twice alike, kept and read ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [k.value for k in Outcomes])
def test_every_outcome_is_learned_alike_twice_and_read_back(kind, tmp_path):
    import skops.io

    outcome, crops = outcomes()[kind], images()
    learner = image_network(**QUICK).fit_images(crops, no_columns(), outcome)
    found = learner.predict_images(crops, no_columns())
    assert found.shape == (20, {"multiclass": 3, "multilabel": 2}.get(kind, 1))
    assert np.isfinite(found).all()
    again = image_network(**QUICK).fit_images(crops, no_columns(), outcome)
    assert np.array_equal(again.predict_images(crops, no_columns()), found)
    learner.save(tmp_path / "net.safetensors")
    read = ImageNetwork.load(tmp_path / "net.safetensors")
    assert np.array_equal(read.predict_images(crops, no_columns()), found)
    raw = skops.io.dumps(learner)
    unknown = skops.io.get_untrusted_types(data=raw)
    assert all(u.startswith("tumorboard.lab.") for u in unknown)
    kept = skops.io.loads(raw, trusted=unknown)
    assert np.array_equal(kept.predict_images(crops, no_columns()), found)
    days = np.array([100.0, 400.0])
    curves = learner.survival_images(crops, no_columns(), days)
    if kind != "survival":
        assert curves is None
        return
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (curves[:, 1] <= curves[:, 0]).all()
    assert np.array_equal(read.survival_images(crops, no_columns(), days), curves)


def test_chances_are_chances():
    learner = image_network(**QUICK).fit_images(images(), no_columns(), outcomes()["multiclass"])
    assert np.allclose(learner.predict_images(images(), no_columns()).sum(axis=1), 1.0)


def test_pytorchs_own_draws_go_on_undisturbed():
    torch.manual_seed(11)
    wanted = torch.rand(3)
    torch.manual_seed(11)
    image_network(**QUICK).fit_images(images(), no_columns(), outcomes()["binary"])
    assert torch.equal(torch.rand(3), wanted)


def test_a_damaged_file_is_refused(tmp_path):
    learner = image_network(**QUICK).fit_images(images(), no_columns(), outcomes()["binary"])
    learner.save(tmp_path / "net.safetensors")
    content = (tmp_path / "net.safetensors").read_bytes()
    for n, broken in enumerate((b"", content[:40], content[:-9], json.dumps({}).encode() * 9)):
        (tmp_path / f"{n}").write_bytes(broken)
        with pytest.raises(FileFormatError):
            ImageNetwork.load(tmp_path / f"{n}")


# --- who decides when to stop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [k.value for k in Outcomes])
def test_a_patient_is_never_on_both_sides(kind):
    patients = tuple(f"p{n // 2}" for n in range(60))
    outcome = outcomes(60)[kind]
    for seed in range(5):
        held = held_out(outcome, patients, 0.25, seed)
        assert 0 < held.sum() < 30
        names = np.array(patients)
        assert not set(names[held]) & set(names[~held])


def test_few_patients_are_all_learned_from():
    assert not held_out(Outcome.binary([0, 1] * 10), tuple("abababababababababab"), 0.3, 0).any()


def test_the_weights_of_the_best_epoch_are_kept():
    how = {**QUICK, "epochs": 12, "patience": 3, "rate": 0.05, "hold": 0.3, "dropout": 0.0}
    crops = images(40)
    outcome = Outcome.binary(np.random.default_rng(1).permutation(np.arange(40) % 2))
    learner = image_network(**how).fit_images(crops, no_columns(40), outcome)
    history = learner.history_
    assert history.best == int(np.argmin(history.held))
    assert len(history.held) == min(12, history.best + 1 + 3)
    held = held_out(outcome, crops.patients, 0.3, 3)
    task = task_of(outcome)
    with torch.inference_mode():
        out = learner.module(*learner.tensors(crops.take(held), no_columns(int(held.sum()))))
    assert float(task.loss(out, task.targets(outcome.take(held)))) == pytest.approx(min(history.held), rel=1e-4)


def test_held_rows_do_not_teach():
    """Changing what a held-out row shows changes nothing where no early stop can happen."""
    how = {**QUICK, "epochs": 1, "hold": 0.3}
    outcome, crops = outcomes(40)["binary"], images(40)
    held = np.flatnonzero(held_out(outcome, crops.patients, 0.3, 3))
    changed = list(crops.crops)
    changed[held[0]] = changed[held[0]] * 5
    other = Images(tuple(changed), crops.channels, "cube", crops.patients)
    first = image_network(**how).fit_images(crops, no_columns(40), outcome).predict_images(crops, no_columns(40))
    second = image_network(**how).fit_images(other, no_columns(40), outcome).predict_images(crops, no_columns(40))
    assert np.array_equal(first, second)


# --- from the last layer inward --------------------------------------------------------------------------------------


def test_stages_thaw_from_the_last_inward():
    network = net_of("resnet18")(1, 1, Build(width=2))
    stages = network.stages()
    how = NetworkSet(frozen=5, thaw_every=2)
    for epoch, still in ((0, 5), (1, 5), (2, 4), (9, 1), (10, 0), (50, 0)):
        thaw(network, how, epoch)
        learns = [all(p.requires_grad for p in s.parameters()) for s in stages]
        assert learns == [n >= still for n in range(len(stages))]


def test_frozen_stages_keep_the_bundles_weights():
    crops = images(12)
    how = {**QUICK, "net": "pretrained", "epochs": 1, "frozen": 3, "hold": 0}
    learner = image_network(**how).fit_images(crops, no_columns(12), Outcome.binary([0, 1] * 6))
    fresh = net_of("pretrained")(crops.channels, 1, Build())
    before, after = fresh.encoder.state_dict(), learner.module.encoder.state_dict()
    same = {n for n in before if torch.equal(before[n], after[n])}
    changed = set(before) - same
    assert changed
    assert all(n.startswith("levels.3.") for n in changed)


# --- columns, flags, and what is not there ---------------------------------------------------------------------------


def test_columns_beside_images_are_learned_from():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    crops = Images.of(rng.normal(size=(60, 1, 8, 8, 8)), ("T1C",))
    x = np.stack([1000.0 + 100 * y + rng.normal(size=60), np.full(60, 3.0)], axis=1)
    x[5, 0] = np.nan
    learner = image_network(**{**QUICK, "epochs": 15, "rate": 0.02}).fit_images(crops, x, Outcome.binary(y))
    found = learner.predict_images(crops, x)[:, 0]
    assert found[y == 1].mean() - found[y == 0].mean() > 0.3


def test_a_missing_sequence_is_zeros_and_a_flag():
    crops = list(images().crops)
    crops[0] = crops[0] * np.array([1, 0], np.float32).reshape(2, 1, 1, 1)
    some = Images((*crops[:-1], None), ("T1C", "FLAIR"), "cube", images().patients)
    assert some.present[0].tolist() == [True, False]
    assert some.present[-1].tolist() == [False, False]
    learner = image_network(**QUICK).fit_images(some, no_columns(), outcomes()["binary"])
    extra = learner.tensors(some, no_columns())[1]
    assert extra[0].tolist() == [1.0, 0.0]
    assert np.isfinite(learner.predict_images(some, no_columns())).all()


def test_activations_are_those_before_the_last_layer():
    learner = image_network(**QUICK).fit_images(images(), no_columns(), outcomes()["binary"])
    seen = learner.activations(images(), no_columns())
    assert seen.shape == (20, learner.module.encoder.features)
    flags = images().present.astype(float)
    head = learner.module.head
    logit = np.hstack([seen, flags]) @ head.weight.detach().double().numpy().T + head.bias.detach().double().numpy()
    chance = learner.predict_images(images(), no_columns())
    assert np.allclose(learner.task_.told(torch.tensor(logit)), chance, atol=1e-5)


def test_a_table_alone_is_refused():
    with pytest.raises(InputError, match="name: network"):
        image_network(**QUICK).fit(np.ones((4, 2)), Outcome.binary([0, 1, 0, 1]))


def test_other_channels_than_in_training_are_refused():
    learner = image_network(**QUICK).fit_images(images(), no_columns(), outcomes()["binary"])
    with pytest.raises(InputError, match="channels T1C, FLAIR"):
        learner.predict_images(images(channels=("FLAIR", "T1C")), no_columns())


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"epocs": 3}, "did you mean 'epochs'"),
        ({"net": "resnet20"}, "did you mean 'resnet"),
        ({"hold": 0.9}, "hold"),
        ({"net": "cnn_lstm", "view": "cube"}, "a view of slices"),
    ],
)
def test_a_wrong_setting_is_named(told, words):
    with pytest.raises(InputError, match=words):
        image_network(**told)


def test_settings_of_a_recipe_are_those_of_the_class():
    import inspect

    assert set(inspect.signature(image_network).parameters) == set(NetworkSet.model_fields)
