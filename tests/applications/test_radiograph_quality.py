"""The gate before chest film applications, on synthetic films whose faults are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

import hounsfield
from hounsfield.applications.radiograph_quality import GATES
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.chest_film import ChestFilmParameters, make_chest_film

FILM = make_chest_film(ChestFilmParameters(seed=2, matrix_px=384))
GREY = FILM.array[0] / 4095.0


def read(folder, **parameters):
    write_phantom("chest-film", folder, matrix_px=384, **{"seed": 2, **parameters})
    (reading,) = hounsfield.read(folder, applications=["radiograph_quality"])
    return reading


def read_picture(folder, picture):
    PillowImage.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(folder / "film.png")
    (reading,) = hounsfield.read(folder / "film.png", applications=["radiograph_quality"])
    return reading


def finding(reading, name):
    return next(f for f in reading.findings if f.name == name)


def departures(reading):
    return {c.code for c in reading.conditions if c.severity != "note"}


def test_good_film_is_usable_and_every_gate_says_why(tmp_path):
    reading = read(tmp_path)
    assert reading.status == "complete"
    assert departures(reading) == set()
    assert [f.name for f in reading.findings] == ["unsuitable", *(gate[0] for gate in GATES)]
    assert {f.presence for f in reading.findings} == {"absent"}
    assert all(f.reason.endswith(".") for f in reading.findings)


def test_lungs_that_are_outlined_lie_in_the_true_ones(tmp_path):
    reading = read(tmp_path)
    mask = reading.region("lung-fields").mask[0]
    true = FILM.masks["left-lung"][0] | FILM.masks["right-lung"][0]
    assert (mask & true).sum() > 0.7 * mask.sum()
    assert (mask & true).sum() > 0.5 * true.sum()


@pytest.mark.parametrize(
    ("spoil", "code", "gate"),
    [
        (lambda p: 1 - p, "film-inverted", "inverted"),
        (np.rot90, "film-turned", "turned"),
        (lambda p: np.rot90(p, 2), "film-turned", "turned"),
        (lambda p: np.rot90(p, 3), "film-turned", "turned"),
    ],
)
def test_inverted_and_turned_films_are_not_usable(spoil, code, gate, tmp_path):
    reading = read_picture(tmp_path, spoil(GREY))
    assert departures(reading) == {code}
    assert finding(reading, "unsuitable").presence == "present"
    assert finding(reading, gate).presence == "present"
    assert [f.name for f in reading.findings] == ["unsuitable", "turned", "inverted"]
    assert "The other gates were not judged." in finding(reading, "unsuitable").reason
    assert reading.regions == ()


def test_how_far_to_turn_it_is_told(tmp_path):
    reading = read_picture(tmp_path, np.rot90(GREY, -1))
    assert "better turned by 90 degrees against the clock" in finding(reading, "turned").reason


@pytest.mark.parametrize(
    ("spoil", "code", "gate"),
    [
        (lambda p: np.clip(2.2 * p, 0, 1), "film-clipped", "exposure"),
        (lambda p: p**0.4, "film-too-light", "exposure"),
        (lambda p: p**3, "film-too-dark", "exposure"),
        (lambda p: 0.4 + 0.2 * p, "film-low-contrast", "low-contrast"),
        (lambda p: p[:, round(0.35 * p.shape[1]) :], "film-cut-off", "cut-off"),
    ],
)
def test_other_faults_are_found_by_their_gates(spoil, code, gate, tmp_path):
    reading = read_picture(tmp_path, spoil(GREY))
    assert code in departures(reading)
    assert finding(reading, gate).presence == "present"
    assert finding(reading, "unsuitable").presence != "absent"


def test_text_over_the_chest_is_found_and_a_marker_is_none(tmp_path):
    drawn = PillowImage.fromarray(np.round(GREY * 255).astype(np.uint8))
    ImageDraw.Draw(drawn).text((130, 200), "COPY 4711", fill=255, font=ImageFont.load_default(size=18))
    reading = read_picture(tmp_path, np.asarray(drawn) / 255)
    assert departures(reading) == {"film-text"}
    assert finding(reading, "unsuitable").presence == "indeterminate"


@pytest.mark.parametrize("fill", [0.5, None])
def test_blank_pictures_and_noise_are_refused(fill, tmp_path):
    rng = np.random.default_rng(4)
    picture = rng.random((300, 300)) if fill is None else fill + 0.004 * (rng.random((300, 300)) > 0.5)
    reading = read_picture(tmp_path, picture)
    assert reading.status == "refused"
    assert departures(reading) <= {"film-blank", "film-not-chest"}


def test_monochrome1_is_the_same_film(tmp_path):
    one = read(tmp_path / "one", photometric="MONOCHROME1")
    two = read(tmp_path / "two")
    assert departures(one) == departures(two) == set()
    for name in ("likeness", "area"):
        values = [m.value for r in (one, two) for m in r.measurements if m.name == name]
        assert values[0] == pytest.approx(values[1], rel=0.01)


def test_monochrome1_called_monochrome2_is_inverted(tmp_path):
    write_phantom("chest-film", tmp_path, seed=2, matrix_px=384, photometric="MONOCHROME1")
    path = tmp_path / "dicom" / "00001.dcm"
    ds = pydicom.dcmread(path)
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.save_as(path)
    (reading,) = hounsfield.read(tmp_path, applications=["radiograph_quality"])
    assert departures(reading) == {"film-inverted"}


def test_lateral_films_are_not_usable(tmp_path):
    reading = read(tmp_path, view="LL")
    assert reading.status == "refused" or finding(reading, "unsuitable").presence == "present"


@pytest.mark.parametrize(
    ("index", "code"), [(250.0, None), (24.0, "film-exposure-index"), (2600.0, "film-exposure-index")]
)
def test_exposure_index_of_the_header_is_judged(index, code, tmp_path):
    reading = read(tmp_path, exposure_index=index)
    assert departures(reading) == ({code} if code else set())
    (deviation,) = [m for m in reading.measurements if m.name == "deviation-index"]
    assert deviation.value == pytest.approx(10 * np.log10(index / 250), abs=1e-6)


def changed(folder, change):
    write_phantom("chest-film", folder, seed=2, matrix_px=384)
    path = folder / "dicom" / "00001.dcm"
    ds = pydicom.dcmread(path)
    change(ds)
    ds.save_as(path)
    (reading,) = hounsfield.read(folder, applications=["radiograph_quality"])
    return reading


def test_other_part_of_the_body_is_refused_by_its_header(tmp_path):
    reading = changed(tmp_path, lambda ds: setattr(ds, "BodyPartExamined", "HAND"))
    assert reading.status == "refused"
    assert "'HAND' (0018,0015), not the chest" in reading.conditions[0].text


def test_without_a_window_the_exposure_is_not_judged(tmp_path):
    def without_window(ds):
        del ds.WindowCenter, ds.WindowWidth

    reading = changed(tmp_path, without_window)
    assert finding(reading, "exposure").presence == "indeterminate"
    assert "film-window-unstated" in {c.code for c in reading.conditions}
    assert departures(reading) == set()


def test_picture_file_says_less_and_that_is_told(tmp_path):
    reading = read_picture(tmp_path, GREY)
    assert departures(reading) == set()
    assert {"film-header-absent", "film-small"} <= {c.code for c in reading.conditions}


def test_colour_and_small_pictures_are_refused(tmp_path):
    array = np.zeros((100, 100, 3), dtype=np.uint8)
    array[..., 0] = 200
    array[20:50] = 90
    PillowImage.fromarray(array).save(tmp_path / "colour.png")
    (reading,) = hounsfield.read(tmp_path / "colour.png", applications=["radiograph_quality"])
    assert "colour picture" in reading.conditions[0].text
    small = read_picture(tmp_path, GREY[::12, ::12])
    assert small.status == "refused"
    assert "at least 48 on each side" in small.conditions[0].text


@pytest.mark.parametrize("seed", range(10, 16))
@pytest.mark.parametrize("view", ["PA", "AP"])
def test_good_films_of_other_patients_pass(seed, view, tmp_path):
    reading = read_picture(
        tmp_path, make_chest_film(ChestFilmParameters(seed=seed, view=view, matrix_px=256)).array[0] / 4095
    )
    assert departures(reading) == set()


def test_sick_chests_are_no_bad_films(tmp_path):
    sick = ChestFilmParameters(seed=12, matrix_px=256)
    for changes in ({"effusion_mm": 70.0}, {"pneumothorax_mm": 40.0}, {"opacity_mm": 80.0}, {"ctr": 0.62}):
        film = make_chest_film(replace(sick, **changes))
        assert departures(read_picture(tmp_path, film.array[0] / 4095)) == set(), changes
