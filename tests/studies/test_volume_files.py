"""NIfTI, NRRD, MetaImage and TIFF: hand-made headers, and what SimpleITK writes and nibabel reads."""

from __future__ import annotations

import gzip
import zlib

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.studies.reading import codes, condition, only_series

from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import read_studies

# (z, y, x) of different lengths; each value is that of its place.
VOLUME = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
LPS = "space: left-posterior-superior"


def nrrd(folder, *lines, values=b"", name="a.nrrd"):
    text = "\n".join(("NRRD0004", "# made by hand", *lines, "", ""))
    (folder / name).write_bytes(text.encode() + values)
    return folder / name


def plain_nrrd(*, dtype="short", encoding="raw", sizes="5 4 3", endian="endian: little", space=LPS):
    return (
        f"type: {dtype}",
        f"dimension: {len(sizes.split())}",
        space,
        f"sizes: {sizes}",
        "space directions: (2,0,0) (0,0,-3) (0,4,0)",
        "kinds: domain domain domain",
        endian,
        f"encoding: {encoding}",
        "space origin: (10,20,30)",
    )


def mm(image, index):
    return image.grid.index_to_mm(np.array(index)).tolist()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("raw", bytes),
        ("gzip", gzip.compress),
        ("bzip2", lambda b: __import__("bz2").compress(b)),
        ("ascii", lambda _: " ".join(map(str, VOLUME.ravel())).encode()),
    ],
)
def test_nrrd_lies_where_its_directions_say(tmp_path, encoding, pack):
    path = nrrd(tmp_path, *plain_nrrd(encoding=encoding), values=pack(VOLUME.tobytes()))
    series = only_series(path)
    image = series.image()
    np.testing.assert_array_equal(image.array, VOLUME)
    # x steps (2, 0, 0), y (0, 0, -3), z (0, 4, 0) from (10, 20, 30)
    assert mm(image, (1, 2, 3)) == [16.0, 24.0, 24.0]
    assert codes(series) == ["length-unit-unstated", "unit-unstated"]
    assert "A NRRD file states neither" in condition(series, "unit-unstated").text


@pytest.mark.parametrize(
    ("space", "place_mm"),
    [
        ("space: RAS", [-16.0, -24.0, 24.0]),
        ("space: left-anterior-superior", [16.0, -24.0, 24.0]),
    ],
)
def test_nrrd_of_other_handedness_is_turned(tmp_path, space, place_mm):
    path = nrrd(tmp_path, *plain_nrrd(space=space), values=VOLUME.tobytes())
    assert mm(only_series(path).image(), (1, 2, 3)) == place_mm


def test_nrrd_units_of_length_are_taken(tmp_path):
    path = nrrd(tmp_path, *plain_nrrd(), 'space units: "cm" "cm" "cm"', values=VOLUME.tobytes())
    series = only_series(path)
    assert mm(series.image(), (0, 0, 1)) == [120.0, 200.0, 300.0]
    assert codes(series) == ["unit-unstated"]


def test_nrrd_without_space_of_the_patient_has_no_place(tmp_path):
    path = nrrd(tmp_path, *plain_nrrd(space="space dimension: 3"), values=VOLUME.tobytes())
    series = only_series(path)
    assert not series.grid.has_millimetres
    assert "states no space of the patient" in condition(series, "position-unstated").text


def test_nrrd_big_endian_and_colour_first(tmp_path):
    colours = np.arange(3 * 4 * 5 * 3, dtype=">u2").reshape(3, 4, 5, 3)
    lines = (
        "type: unsigned short",
        "dimension: 4",
        LPS,
        "sizes: 3 5 4 3",
        "space directions: none (1,0,0) (0,1,0) (0,0,1)",
        "kinds: RGB-color domain domain domain",
        "endian: big",
        "encoding: raw",
        "space origin: (0,0,0)",
    )
    image = only_series(nrrd(tmp_path, *lines, values=colours.tobytes())).image()
    assert image.is_colour
    np.testing.assert_array_equal(image.array, colours)


def test_nrrd_in_time_has_time_first(tmp_path):
    times = np.arange(2 * 3 * 4 * 5, dtype="<i2").reshape(3, 4, 5, 2)
    lines = list(plain_nrrd(sizes="2 5 4 3"))
    lines[4] = "space directions: none (2,0,0) (0,0,-3) (0,4,0)"
    lines[5] = "kinds: list domain domain domain"
    image = only_series(nrrd(tmp_path, *lines, values=times.tobytes())).image()
    assert image.array.shape == (2, 3, 4, 5)
    assert image.array[1, 2, 3, 4] == times[2, 3, 4, 1]


def test_nrrd_header_with_its_values_beside(tmp_path):
    (tmp_path / "values.raw").write_bytes(b"12" + VOLUME.tobytes())
    nrrd(tmp_path, *plain_nrrd(), "data file: values.raw", "byte skip: 2", name="a.nhdr")
    series = only_series(tmp_path)
    np.testing.assert_array_equal(series.image().array, VOLUME)
    assert series.files == ("a.nhdr", "values.raw")
    assert read_studies(tmp_path).notes == ()


@pytest.mark.parametrize(
    ("lines", "error", "said"),
    [
        (plain_nrrd(sizes="5 4 900"), StudyError, "holds 120 bytes of values and its header declares 36000"),
        (plain_nrrd(encoding="hex"), RefusedInput, "in encoding 'hex'"),
        (plain_nrrd(dtype="block"), RefusedInput, "type 'block'"),
        (plain_nrrd(endian="content: x"), StudyError, "does not state the order of its bytes"),
        (plain_nrrd(sizes="5 4 -3"), StudyError, "which are those of no image"),
        (plain_nrrd(sizes="500000 40000 3"), RefusedInput, "declares 112 GiB, the limit is 16"),
        ((*plain_nrrd(), "data file: ../secret.raw"), RefusedInput, "only a file of the same folder"),
        ((*plain_nrrd(), "data file: none.raw"), StudyError, "which is not beside it"),
        ((*plain_nrrd(), "data file: LIST"), RefusedInput, "several files"),
    ],
)
def test_nrrd_that_cannot_be_read_says_why(tmp_path, lines, error, said):
    path = nrrd(tmp_path, *lines, values=VOLUME.tobytes())
    with pytest.raises((StudyError, error), match=said):
        only_series(path).image()


def metaimage(folder, values, *, name="a.mha", data="LOCAL", **fields):
    head = {
        "ObjectType": "Image",
        "NDims": "3",
        "DimSize": "5 4 3",
        "ElementType": "MET_SHORT",
        "TransformMatrix": "0 1 0 0 0 -1 -1 0 0",
        "Offset": "10 20 30",
        "ElementSpacing": "2 3 4",
        **fields,
        "ElementDataFile": data,
    }
    text = "".join(f"{key} = {value}\n" for key, value in head.items())
    (folder / name).write_bytes(text.encode() + values)
    return folder / name


@pytest.mark.parametrize("packed", [True, False])
def test_metaimage_lies_where_its_matrix_says(tmp_path, packed):
    values = zlib.compress(VOLUME.tobytes()) if packed else VOLUME.tobytes()
    image = only_series(metaimage(tmp_path, values, CompressedData=str(packed))).image()
    np.testing.assert_array_equal(image.array, VOLUME)
    # x runs along (0, 1, 0), y along (0, 0, -1), z along (-1, 0, 0)
    assert mm(image, (1, 2, 3)) == [10.0 - 4, 20.0 + 6, 30.0 - 6]


def test_metaimage_with_its_values_beside(tmp_path):
    (tmp_path / "a.raw").write_bytes(VOLUME.astype(">i2").tobytes())
    path = metaimage(tmp_path, b"", name="a.mhd", data="a.raw", BinaryDataByteOrderMSB="True")
    np.testing.assert_array_equal(only_series(path).image().array, VOLUME)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ElementType": "MET_STRING"}, "type 'MET_STRING'"),
        ({"NDims": "4"}, "NDims and DimSize that do not fit"),
        ({"ElementNumberOfChannels": "2"}, "holds 2 channels"),
        ({"data": "../a.raw"}, "only a file of the same folder"),
        ({"DimSize": "5 4 30"}, "it was cut off"),
        ({"CompressedData": "True"}, "cannot be unpacked"),
    ],
)
def test_metaimage_that_cannot_be_read_says_why(tmp_path, fields, said):
    path = metaimage(tmp_path, VOLUME.tobytes(), **fields)
    with pytest.raises((StudyError, RefusedInput), match=said):
        only_series(path).image()


def test_metaimage_that_states_no_place_has_none(tmp_path):
    path = metaimage(tmp_path, VOLUME.tobytes())
    path.write_bytes(path.read_bytes().replace(b"Offset = 10 20 30\n", b""))
    series = only_series(path)
    assert "states no Offset" in condition(series, "position-unstated").text


def test_masks_by_name_are_masks_in_every_format(tmp_path):
    labels = (VOLUME % 3).astype("<i2")
    metaimage(tmp_path, VOLUME.tobytes(), name="ct.mha")
    metaimage(tmp_path, labels.tobytes(), name="ct_seg.mha")
    image, mask = (s for study in read_studies(tmp_path).studies for s in study.series)
    assert mask.kind == "regions"
    assert mask.tags["referenced_series"] == (image.key,)
    regions = mask.regions(image.grid)
    assert [int(r.mask.sum()) for r in regions] == [20, 20]


@pytest.mark.peer
@pytest.mark.parametrize("ending", ["nrrd", "mha", "nii", "nii.gz"])
def test_simpleitk_and_this_agree_where_voxels_lie(tmp_path, ending):
    import SimpleITK as sitk

    angle = 0.4
    cosines = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1.0]])
    made = sitk.GetImageFromArray(VOLUME)
    made.SetSpacing((0.7, 0.8, 2.5))
    made.SetOrigin((-12.5, 7.25, 100.0))
    made.SetDirection(cosines.ravel().tolist())
    sitk.WriteImage(made, str(tmp_path / f"a.{ending}"), useCompression=True)
    image = only_series(tmp_path).image()
    np.testing.assert_array_equal(image.array, VOLUME)
    for z, y, x in [(0, 0, 0), (2, 3, 4), (1, 0, 3)]:
        truth = made.TransformIndexToPhysicalPoint((x, y, z))
        np.testing.assert_allclose(image.grid.index_to_mm(np.array([z, y, x])), truth, atol=1e-4)


def test_nifti_extensions_are_remarks(tmp_path):
    made = nib.Nifti1Image(VOLUME.T, np.diag([1, 2, 3, 1]))
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    nib.save(made, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(only_series(tmp_path).image().array, VOLUME)


def test_nifti_big_endian(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    made = nib.Nifti1Image(VOLUME.T.astype(">i2"), np.diag([-1, -2, 3, 1]), header)
    nib.save(made, tmp_path / "a.nii")
    image = only_series(tmp_path).image()
    np.testing.assert_array_equal(image.array, VOLUME)
    assert mm(image, (1, 1, 1)) == [1.0, 2.0, 3.0]
    assert image.array.dtype == np.int16


def test_nifti_whose_forms_disagree_takes_sform_and_says_so(tmp_path):
    made = nib.Nifti1Image(VOLUME.T, np.diag([1, 2, 3, 1]))
    made.set_qform(np.diag([1, 2, 4, 1]), code=1)
    made.set_sform(np.diag([1, 2, 3, 1]), code=1)
    nib.save(made, tmp_path / "a.nii")
    series = only_series(tmp_path)
    assert "up to 2.0 mm apart" in condition(series, "nifti-forms-disagree").text
    assert series.grid.spacing_mm == (3.0, 2.0, 1.0)


def test_nifti_offset_that_no_program_writes_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(VOLUME.T, np.eye(4)), tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[108:112] = np.float32(4e15).tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(StudyError, match="which no program writes"):
        only_series(tmp_path)


@pytest.mark.parametrize("mode", ["I;16", "L", "F", "RGB"])
def test_tiff_pages_are_a_stack_without_place(tmp_path, mode):
    rng = np.random.default_rng(1)
    dtype = {"I;16": np.uint16, "L": np.uint8, "F": np.float32, "RGB": np.uint8}[mode]
    shape = (3, 4, 5, 3) if mode == "RGB" else (3, 4, 5)
    truth = rng.integers(0, 60000 if dtype == np.uint16 else 250, shape).astype(dtype)
    first, *rest = (PillowImage.fromarray(page) for page in truth)
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest)
    series = only_series(tmp_path)
    assert series.kind == "raster"
    assert not series.grid.has_millimetres
    image = series.image()
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, truth)


def test_turned_tiff_is_upright(tmp_path):
    picture = PillowImage.fromarray(np.arange(20, dtype=np.uint8).reshape(4, 5))
    picture.save(tmp_path / "a.tif", tiffinfo={274: 6})
    series = only_series(tmp_path)
    assert series.image().array.shape == series.grid.shape == (1, 5, 4)
    assert series.image().array[0, 0].tolist() == [15, 10, 5, 0]


def test_pages_of_two_sizes_are_no_stack(tmp_path):
    first = PillowImage.fromarray(np.zeros((4, 5), np.uint8))
    first.save(
        tmp_path / "a.tif", save_all=True, append_images=[PillowImage.fromarray(np.zeros((6, 5), np.uint8))]
    )
    with pytest.raises(RefusedInput, match="pages of different sizes"):
        only_series(tmp_path).image()


def test_gzipped_file_of_any_kind_is_read(tmp_path):
    path = metaimage(tmp_path, VOLUME.tobytes())
    (tmp_path / "b.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    np.testing.assert_array_equal(only_series(tmp_path).image().array, VOLUME)


def test_gzipped_bomb_is_refused(tmp_path):
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(64 * 1024**2), 9))
    with pytest.raises(StudyError, match=r"times its size\. Unpack it yourself"):
        read_studies(tmp_path)
