"""Real files that differ from the textbook: the sum of their stored values is known from another decoder."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_studies

# Colours by palette, SUV and lookup tables are not the stored values; slides and masks are no images here.
NOT_COMPARED = {"PALETTE COLOR", "SM", "SEG", "PT"}


def stored_sum(path):
    """Sum of the stored values of all images of a file, its rescale undone; and how many there are."""
    total, n_values = 0.0, 0
    for series in [one for study in read_studies(path).studies for one in study.series if one.load_image]:
        header = series.headers()[0] if series.headers() else {}
        if "ModalityLUTSequence" in header or "PerFrameFunctionalGroupsSequence" in header:
            return None
        slope, intercept = (
            float(header.get(f"Rescale{part}") or default)
            for part, default in (("Slope", 1), ("Intercept", 0))
        )
        values = series.image().array.astype(np.float64)
        total += float(((values - intercept) / slope).sum())
        n_values += values.size
    return (total, n_values) if n_values else None


@pytest.mark.slow
@pytest.mark.real_data
def test_odd_files_hold_the_values_that_another_decoder_finds(real_data):
    folder = real_data / "odd_dicom"
    n_compared, wrong = 0, []
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["pydicom_pixels"] == "yes"]
    for row in rows:
        if NOT_COMPARED & {row["photometric"], row["modality"]}:
            continue
        try:
            found = stored_sum(folder / row["file"])
        except HounsfieldError as error:
            wrong.append(f"{row['file']}: {error}")
            continue
        if found is not None:
            n_compared += 1
            # Lossy decoders may differ by one in some pixels.
            if abs(found[0] - float(row["sum"])) > 0.02 * found[1]:
                wrong.append(f"{row['file']}: sum {found[0]:.0f}, {row['sum']} is right")
    assert wrong == []
    assert n_compared > 60
