"""Fixtures B12: apparent diffusion coefficient."""

from __future__ import annotations

from hounsfield.measures import AdcInputs, adc_mono


def evaluate_adc(given):
    b = given["b"] if "b" in given else (given["b1"], given["b2"])
    signal = given["s"] if "s" in given else (given["s_b1"], given["s_b2"])
    outcome = adc_mono(AdcInputs(b_s_mm2=b, signal=signal))
    codes = [condition.code for condition in outcome.conditions]
    return {
        "adc_1e-6_mm2_per_s": outcome.value("adc"),
        "s0": outcome.value("s0"),
        "condition": "negative" if codes == ["adc-negative"] else None,
    }


EVALUATIONS = {"B12": (("adc-mono",), evaluate_adc)}
