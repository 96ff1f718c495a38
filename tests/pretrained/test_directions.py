"""Directions keep their values, their names and the latent space they belong to."""

from pathlib import Path

import numpy as np
import pytest

from pretrained.directions import (
    NamedDirection,
    check_family,
    convert,
    family_of,
    fit,
)
from pretrained.files import read
from retouch.errors import WeightsError
from tests.pretrained import forgery

BOUNDARY = "interfacegan_stylegan_ffhq_age_w_boundary.npy"
FORMATS = Path(__file__).parents[3] / "shared" / "formats"
real = pytest.mark.skipif(
    not FORMATS.is_dir(), reason="no real files beside the project"
)


def imported(path: Path, name: str, family: str | None = None) -> list[NamedDirection]:
    return convert(read(path), path, name, family)


@real
@pytest.mark.parametrize(
    ("file", "shape", "family", "length"),
    [
        (BOUNDARY, (1, 512), "stylegan1-ffhq", 1),
        ("stylegan_encoder_age.npy", (18, 512), "stylegan1-ffhq", 2.842),
        ("e4e_age.pt", (1, 512), "stylegan2-ffhq", 1),
        ("e4e_pose.pt", (18, 512), "stylegan2-ffhq", 4.243),
    ],
)
def test_real_files_are_read(file, shape, family, length):
    (direction,) = imported(FORMATS / file, "mine")
    assert (direction.name, direction.family) == ("mine", family)
    assert direction.vector.shape == shape
    assert np.linalg.norm(direction.vector) == pytest.approx(length, abs=1e-3)


@real
def test_components_are_scaled_to_their_deviations():
    found = imported(FORMATS / "e4e_ganspace_ffhq_pca.pt", "pca")
    assert [direction.name for direction in found[:2]] == ["pca/pc0", "pca/pc1"]
    assert len(found) == 80
    lengths = [np.linalg.norm(direction.vector) for direction in found]
    deviations = read(FORMATS / "e4e_ganspace_ffhq_pca.pt")["std"]
    np.testing.assert_allclose(lengths, deviations, rtol=1e-4)


def test_a_cache_of_ganspace_gives_its_latent_components(tmp_path):
    path = tmp_path / "stylegan2-ffhq_style_ipca_c80_n1000000_w.npz"
    components = np.eye(4)[:2, None]
    np.savez(path, lat_comp=components, lat_stdev=[3.0, 2.0], lat_mean=np.zeros((1, 4)))
    found = imported(path, "pca")
    np.testing.assert_array_equal(found[0].vector, [[3, 0, 0, 0]])
    assert found[1].family == "stylegan2-ffhq"


def test_the_family_can_be_told(tmp_path):
    np.save(tmp_path / "smile.npy", np.ones((1, 8)))
    (direction,) = imported(tmp_path / "smile.npy", "smile", "mine")
    assert direction.family == "mine"


def test_a_cache_of_unknown_origin_asks_for_its_family():
    with pytest.raises(WeightsError, match="--family"):
        family_of(Path("components.npz"))


def test_boundaries_in_z_are_refused(tmp_path):
    path = tmp_path / "stylegan_ffhq_age_boundary.npy"
    np.save(path, np.ones((1, 512)))
    with pytest.raises(WeightsError, match="_w_"):
        imported(path, "age")


@pytest.mark.parametrize(
    "array",
    [np.ones((2, 3, 4)), np.ones((100, 8)), np.zeros((1, 8)), np.ones((1, 8), int)],
)
def test_arrays_that_are_no_direction_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(WeightsError):
        imported(tmp_path / "a.npy", "a")


def test_a_network_is_no_direction(tmp_path):
    path = tmp_path / "network.pt"
    path.write_bytes(forgery.torch_zip({"g_ema": {}}))
    with pytest.raises(WeightsError, match="no direction"):
        imported(path, "a")


def test_a_direction_of_another_family_is_refused_unless_forced():
    direction = NamedDirection("age", "stylegan1-ffhq", np.ones((1, 512)))
    with pytest.raises(WeightsError, match="made for stylegan1-ffhq"):
        check_family(direction, "mine", "stylegan2-ffhq")
    check_family(direction, "mine", "stylegan1-ffhq")


def test_one_row_serves_every_row_of_a_latent():
    direction = NamedDirection("age", "a", np.arange(4.0)[None])
    assert fit(direction, "mine", (6, 4)).shape == (6, 4)


@pytest.mark.parametrize("shape", [(14, 4), (18, 5)])
def test_a_direction_of_another_shape_is_refused_even_if_forced(shape):
    direction = NamedDirection("age", "a", np.ones(shape))
    with pytest.raises(WeightsError, match="latents of 'mine' have"):
        fit(direction, "mine", (18, 4))
