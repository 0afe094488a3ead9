"""What a CT header states of kernel, contrast agent and synchronisation; what it leaves open stays open."""

from __future__ import annotations

import pytest

from hounsfield.studies.ct_header import is_gated, is_sharp, stated_contrast, stated_kernel


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        ({}, None),
        ({"CardiacSynchronizationTechnique": "PROSPECTIVE"}, True),
        ({"CardiacSynchronizationTechnique": "RETROSPECTIVE"}, True),
        ({"CardiacSynchronizationTechnique": "PACED"}, True),
        ({"CardiacSynchronizationTechnique": "NONE"}, False),
        ({"CardiacSynchronizationTechnique": "REALTIME"}, False),
        ({"CardiacSynchronizationTechnique": "NONE", "TriggerTime": 400.0}, False),
        ({"TriggerTime": 412.0}, True),
        ({"TriggerTime": 0.0}, None),
        ({"HeartRate": 60}, None),
        ({"ScanOptions": "CARDIAC HELICAL"}, True),
        ({"ScanOptions": ("AXIAL MODE", "ECG_GATED")}, True),
        ({"ScanOptions": "CG"}, True),
        ({"ScanOptions": "RESP_GATED"}, None),
        ({"ScanOptions": "TM50PC2366"}, None),
        ({"ScanOptions": "HELICAL MODE"}, None),
    ],
)
def test_gating(tags, answer):
    assert is_gated(tags) is answer


@pytest.mark.parametrize(
    ("agent", "answer"),
    [(None, "not stated"), ("  ", "not stated"), ("NONE", "none"), ("no", "none"), ("APPLIED", "given")],
)
def test_contrast(agent, answer):
    assert stated_contrast({} if agent is None else {"ContrastBolusAgent": agent}) == answer


@pytest.mark.parametrize(
    ("value", "kernel", "sharp"),
    [
        (("Br38f", "3"), "BR38F", False),
        ("B70f", "B70F", True),
        ("FC50", "FC50", True),
        ("FC12", "FC12", False),
        ("bone+", "BONE+", True),
        (None, "", False),
    ],
)
def test_kernel(value, kernel, sharp):
    tags = {} if value is None else {"ConvolutionKernel": value}
    assert stated_kernel(tags) == kernel
    assert is_sharp(kernel) is sharp
