"""The PET application on whole studies: phantoms of known uptake, given and found, and every refusal."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pydicom
import pytest
from tests.applications.pet_studies import codes, text_of, values

import hounsfield
from hounsfield.imaging.affine import ras_xyz_from_lps_zyx
from hounsfield.phantoms import FdgPetParameters, Trouble, make_fdg_pet, write_phantom
from hounsfield.phantoms.dicom_pet import pet_slice
from hounsfield.phantoms.trouble import place

# The ring of spheres alone: no bladder, kidneys half cut.
RING = {"n_slices": 40, "matrix_px": 64, "noise": 0.0}
STATED = {"pet": ("PT", "SUVbw")}
TURNED = Trouble(flip=True, oblique_deg=25.0, shuffle=True)


def read(folder, **options):
    (reading,) = hounsfield.read(folder, applications=["pet_metabolic"], **options)
    return reading


def by_name(phantom):
    return {sphere["name"]: sphere for sphere in phantom.truth["spheres"]}


def write_nifti(folder, phantom):
    """PET and spheres as NIfTI: `pet.nii.gz`, and one `label` value for each sphere."""
    folder.mkdir()
    affine = ras_xyz_from_lps_zyx(phantom.grid.affine)
    labels = np.zeros(phantom.array.shape, dtype=np.uint8)
    for number, mask in enumerate(phantom.masks.values(), start=1):
        labels[mask] = number
    for name, array in (("pet", phantom.array), ("spheres_mask", labels)):
        nib.save(nib.Nifti1Image(array.transpose(2, 1, 0), affine), folder / f"{name}.nii.gz")


def expected(phantom, name):
    """Figures of one sphere's neighbourhood, computed from the voxels without the rules."""
    suv = phantom.array[phantom.masks[name]].astype(np.float64)
    voxel_ml = float(np.prod(phantom.grid.spacing_mm)) / 1000.0
    figures = {"volume": suv.size * voxel_ml, "suv-max": suv.max(), "suv-mean": suv.mean()}
    for label, limit in (("41", 0.41 * suv.max()), ("2.5", 2.5), ("4.0", 4.0)):
        figures |= {f"mtv-{label}": (suv >= limit).sum() * voxel_ml}
        figures |= {f"tlg-{label}": suv[suv >= limit].sum() * voxel_ml}
    return figures


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """The same spheres given in every form, plain and turned: readings and phantom by form."""
    made = {}
    for form, trouble in (
        *(("seg", Trouble()), ("seg", TURNED)),
        *(("rtstruct", Trouble()), ("rtstruct", TURNED)),
    ):
        folder = tmp_path_factory.mktemp("pet")
        phantom = write_phantom("fdg-pet", folder, regions=form, trouble=trouble, **RING)
        made[form, trouble.flip] = read(folder / "dicom"), phantom
    for trouble in (Trouble(), TURNED):
        phantom = place(make_fdg_pet(FdgPetParameters(**RING)), trouble)
        folder = tmp_path_factory.mktemp("pet") / "nifti"
        write_nifti(folder, phantom)
        made["mask", trouble.flip] = read(folder, stated=STATED), phantom
    return made


FORMS = [(form, flip) for form in ("seg", "rtstruct", "mask") for flip in (False, True)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form[0]}-{'turned' if form[1] else 'plain'}")
def test_given_spheres_have_their_known_figures(readings, form):
    reading, phantom = readings[form]
    # Contours are drawn anew, so that the border of the region, not that of the uptake, may move a voxel.
    border = 0.04 if form[0] == "rtstruct" else 1e-6
    for number, (name, sphere) in enumerate(by_name(phantom).items(), start=1):
        measured = values(reading, f"label-{number}" if form[0] == "mask" else name)
        figures = expected(phantom, name)
        for key in ("volume", "suv-mean"):
            # Stored in 16 bits, a slice's SUV is exact to 1/32767 of its largest.
            assert measured[key] == pytest.approx(figures.pop(key), rel=border + 1e-4)
        for key, value in figures.items():
            assert measured[key] == pytest.approx(value, rel=1e-3, abs=0.065)  # one voxel is 0.064 ml
        for key, true in (("suv-max", "suv_max"), ("mtv-41", "mtv_41_ml"), ("mtv-4.0", "mtv_4.0_ml")):
            assert measured[key] == pytest.approx(sphere[true], rel=1e-3, abs=0.065)


def test_every_form_gives_the_same_figures(readings):
    (truth, _), names = readings["seg", False], list(by_name(readings["seg", False][1]))
    for form in FORMS:
        reading = readings[form][0]
        for number, name in enumerate(names, start=1):
            measured = values(reading, f"label-{number}" if form[0] == "mask" else name)
            assert set(measured) == set(values(truth, name))
            for key, value in values(truth, name).items():
                rel = 0.04 if key in {"volume", "suv-mean"} else 2e-3
                assert measured[key] == pytest.approx(value, rel=rel, abs=0.07), (form, name, key)


def test_plateau_of_a_large_sphere_is_its_suv(tmp_path):
    phantom = write_phantom("fdg-pet", tmp_path, regions="seg", psf_mm=0.0, sphere_suv=8.0, **RING)
    measured = values(read(tmp_path / "dicom"), "sphere-37mm")
    analytic_ml = by_name(phantom)["sphere-37mm"]["volume_mm3"] / 1000.0
    assert measured["suv-max"] == pytest.approx(8.0, rel=1e-3)
    assert measured["suv-peak"] == pytest.approx(8.0, rel=1e-3)
    # Half-filled border voxels lie above 4.0 and below it in equal parts; those above hold less than 8.
    assert measured["mtv-4.0"] == pytest.approx(analytic_ml, rel=0.05)
    assert 0.9 * 8.0 * analytic_ml < measured["tlg-4.0"] < 8.0 * measured["mtv-4.0"]


def test_segments_called_lesions_are_present_and_contours_without_type_are_open(readings):
    assert {f.presence for f in readings["seg", False][0].findings} == {"present"}
    assert {f.presence for f in readings["rtstruct", False][0].findings} == {"indeterminate"}
    assert "regions-unstated" in codes(readings["mask", False][0])


def test_inputs_name_the_regions_and_two_readings_have_two_uids(readings):
    given, _ = readings["seg", False]
    assert [reference.role for reference in given.inputs] == ["pet", "regions"]
    assert given.inputs[1].files[0].endswith("regions.dcm")
    other, _ = readings["rtstruct", False]
    assert given.inputs[0].pixel_sha256 == other.inputs[0].pixel_sha256
    assert given.uid != other.uid


@pytest.mark.parametrize("trouble", [Trouble(), TURNED], ids=["plain", "turned"])
def test_spheres_are_found_and_the_bladder_stays_open(tmp_path, trouble):
    phantom = write_phantom("fdg-pet", tmp_path, trouble=trouble, matrix_px=96, noise=0.0)
    reading = read(tmp_path / "dicom")
    assert {finding.presence for finding in reading.findings} == {"indeterminate"}
    hottest = values(reading, "uptake-1")
    assert hottest["suv-max"] == pytest.approx(24.0, rel=0.01)  # the bladder's
    for sphere in phantom.truth["spheres"]:
        index = phantom.grid.mm_to_index(np.array(sphere["centre_mm"])).round().astype(int)
        (found,) = [region for region in reading.regions if region.mask[tuple(index)]]
        measured = values(reading, found.name)
        assert measured["suv-max"] == pytest.approx(sphere["suv_max"], rel=1e-3)
        assert measured["mtv-4.0"] == pytest.approx(sphere["mtv_4.0_ml"], rel=1e-3, abs=0.065)
    assert len(reading.regions) == 1 + len(phantom.truth["spheres"])


@pytest.fixture(scope="module")
def slices():
    """Three slices through the spheres, as data sets to be altered."""
    phantom = make_fdg_pet(FdgPetParameters(n_slices=40, matrix_px=64, sphere_diameters_mm=(37.0,)))
    return [pet_slice(phantom, k, Trouble()) for k in (7, 8, 9)]


def altered(folder, slices, change):
    for number, ds in enumerate(slices):
        copy = pydicom.dcmread(_saved(ds, folder / f"{number}.dcm"))
        change(copy, copy.RadiopharmaceuticalInformationSequence[0])
        copy.save_as(folder / f"{number}.dcm")
    return folder


def _saved(ds, path):
    ds.save_as(path, enforce_file_format=True)
    return path


def _set(**attributes):
    def change(ds, injection):
        for keyword, value in attributes.items():
            target = injection if keyword.startswith("Radio") else ds
            if value is None:
                del target[keyword]
            else:
                setattr(target, keyword, value)

    return change


REFUSALS = [
    ("suv-not-corrected", _set(CorrectedImage=["NORM", "DECY"]), "attenuation-corrected reconstruction"),
    ("suv-units", _set(Units="PROPCNTS"), "Use a series in BQML"),
    ("suv-type", _set(Units="GML", SUVType="LBM"), "Use a series in BQML or with SUVType BW"),
    ("suv-counts-without-factor", _set(Units="CNTS"), "Export the series with its private attributes"),
    ("suv-decay-correction", _set(DecayCorrection="NONE"), "Use the decay-corrected reconstruction"),
    ("suv-weight", _set(PatientWeight=None), "Correct the weight"),
    ("suv-dose", _set(RadionuclideTotalDose=370), "Correct the dose"),
    ("suv-half-life", _set(RadionuclideHalfLife=None), "Correct the header"),
    ("suv-half-life", _set(RadionuclideHalfLife=1221.8), "Correct the wrong one"),
    (
        "suv-injection-time",
        _set(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime=None),
        "Add the injection time",
    ),
    ("suv-reference-time", _set(SeriesTime=None, FrameReferenceTime=None), "Use the original"),
    ("suv-uptake-time", _set(RadiopharmaceuticalStartDateTime="20300101120000"), "restore them"),
]


@pytest.mark.parametrize(
    ("code", "change", "remedy"), REFUSALS, ids=[f"{c}-{n}" for n, (c, *_) in enumerate(REFUSALS)]
)
def test_pet_without_suv_is_refused_with_its_remedy(tmp_path, slices, code, change, remedy):
    reading = read(altered(tmp_path, slices, change))
    assert (reading.status, reading.measurements, reading.findings) == ("refused", (), ())
    (refusal,) = [condition for condition in reading.conditions if condition.severity == "refusal"]
    assert refusal.code == code
    assert remedy in refusal.text


def test_the_same_slices_unaltered_are_read(tmp_path, slices):
    assert read(altered(tmp_path, slices, _set())).status == "complete"


def test_pet_in_another_unit_by_statement_is_refused(tmp_path):
    phantom = make_fdg_pet(FdgPetParameters(n_slices=40, matrix_px=64))
    write_nifti(tmp_path / "nifti", phantom)
    reading = read(tmp_path / "nifti", stated={"pet": ("PT", "Bq/ml")})
    assert "SUVbw is needed" in text_of(reading, "unit-not-met")


def test_nifti_of_unstated_modality_is_not_taken_and_told_how_to_state_it(tmp_path):
    phantom = make_fdg_pet(FdgPetParameters(n_slices=40, matrix_px=64))
    write_nifti(tmp_path / "nifti", phantom)
    done = hounsfield.pipeline.run(tmp_path / "nifti", applications=["pet_metabolic"])
    assert done.readings == ()
    assert "--state FILE=MODALITY:UNIT" in done.not_taken[0].reasons[0].text


def test_tracer_is_read_from_the_header(tmp_path, slices):
    def psma(_ds, injection):
        injection.Radiopharmaceutical = "PSMA-1007 F^18^"
        del injection.RadiopharmaceuticalCodeSequence

    def unstated(_ds, injection):
        del injection.Radiopharmaceutical, injection.RadiopharmaceuticalCodeSequence

    for name, change, code in (("a", psma, "tracer-not-fdg"), ("b", unstated, "tracer-unstated")):
        folder = tmp_path / name
        folder.mkdir()
        assert code in codes(read(altered(folder, slices, change)))


def test_rtstruct_types_decide_what_is_a_lesion(tmp_path):
    write_phantom("fdg-pet", tmp_path, regions="rtstruct", sphere_diameters_mm=(37.0, 28.0, 22.0), **RING)
    path = tmp_path / "dicom" / "regions.dcm"
    ds = pydicom.dcmread(path)
    for item, kind in zip(ds.RTROIObservationsSequence, ("GTV", "ORGAN", ""), strict=True):
        item.RTROIInterpretedType = kind
    ds.save_as(path)
    reading = read(tmp_path / "dicom")
    assert {f.name: f.presence for f in reading.findings} == {
        "sphere-37mm": "present",
        "sphere-22mm": "indeterminate",
    }
    assert "sphere-28mm" in text_of(reading, "regions-not-lesions")


@pytest.mark.parametrize(
    "stated",
    [
        ("SRT", "M-01000", "T-D000A", "T-D0050"),
        ("SCT", "49755003", "123037004", "85756007"),
        ("SCT", "49755003", "91723000", "309825002"),
    ],
)
def test_segment_categories_decide_by_their_code_whatever_their_words(tmp_path, stated):
    write_phantom("fdg-pet", tmp_path, regions="seg", sphere_diameters_mm=(37.0, 28.0, 22.0), **RING)
    path = tmp_path / "dicom" / "regions.dcm"
    ds = pydicom.dcmread(path)
    for item, value in zip(ds.SegmentSequence, stated[1:], strict=True):
        category = item.SegmentedPropertyCategoryCodeSequence[0]
        category.CodeValue, category.CodingSchemeDesignator = value, stated[0]
        category.CodeMeaning = "in other words"
    ds.save_as(path)
    reading = read(tmp_path / "dicom")
    assert {f.name: f.presence for f in reading.findings} == {
        "sphere-37mm": "present",
        "sphere-22mm": "indeterminate",
    }


def test_contours_beyond_the_pet_are_named(tmp_path):
    phantom = write_phantom("fdg-pet", tmp_path, regions="rtstruct", sphere_diameters_mm=(37.0, 10.0), **RING)
    kept_from = int(phantom.grid.mm_to_index(np.array([0.0, 0.0, -42.0]))[0])
    for path in (tmp_path / "dicom").glob("0*.dcm"):
        if pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2] < -80.0 + 4.0 * kept_from:
            path.unlink()
    reading = read(tmp_path / "dicom")
    assert "Contours of sphere-37mm, sphere-10mm reach beyond" in text_of(reading, "contours-outside-image")
    assert values(reading, "sphere-37mm")["volume"] < expected(phantom, "sphere-37mm")["volume"]
    assert "region-at-edge" in codes(reading)
