"""Fetal sizes that can be; a factor of ten between cm and mm is the classic error, so others are refused."""

from __future__ import annotations

# Accepted ranges in cm, both ends in.
BPD_CM, HC_CM, AC_CM, FL_CM = (1.0, 11.0), (4.0, 40.0), (4.0, 42.0), (0.3, 8.5)
BPD_MM, HC_MM, AC_MM, FL_MM = ((10 * low, 10 * high) for low, high in (BPD_CM, HC_CM, AC_CM, FL_CM))
# The largest crown-rump length that dates a pregnancy; beyond it the head does.
LONGEST_CRL_MM = 84
