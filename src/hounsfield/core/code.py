"""Coded concepts: a value, the scheme it comes from, and its meaning for people.

Codes are those of PS3.16 and SNOMED CT as printed in the dictionaries shipped with pydicom 3.0.2.
Where no verified code exists the concept stands in the private scheme `99HOUNSFIELD`: a guessed
SNOMED number would be read by another system as something else.
"""

from __future__ import annotations

from dataclasses import dataclass

PRIVATE_SCHEME = "99HOUNSFIELD"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept, as in PS3.3 section 8.8: code value, coding scheme designator, code meaning."""

    value: str
    scheme: str
    meaning: str

    def __post_init__(self) -> None:
        if not (self.value and self.scheme and self.meaning):
            raise ValueError("a code needs a value, a scheme and a meaning")
        if len(self.scheme) > 16 or len(self.meaning) > 64:
            raise ValueError(f"code {self.value}: scheme or meaning is longer than DICOM allows")

    def to_json(self) -> dict[str, str]:
        """The three parts under the names `value`, `scheme`, `meaning`."""
        return {"value": self.value, "scheme": self.scheme, "meaning": self.meaning}


def private_code(value: str, meaning: str) -> Code:
    """A concept of this project for which no verified public code exists."""
    return Code(value, PRIVATE_SCHEME, meaning)


# Anatomy and laterality (SNOMED CT)
LUNG = Code("39607008", "SCT", "Lung")
BRAIN = Code("12738006", "SCT", "Brain")
LEFT = Code("7771000", "SCT", "Left")
RIGHT = Code("24028007", "SCT", "Right")
BODY = private_code("WHOLE_BODY_REGION", "Imaged part of the body")

# Categories of segments (CID 7150)
ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
MORPHOLOGICALLY_ABNORMAL_STRUCTURE = Code("49755003", "SCT", "Morphologically Abnormal Structure")
# A region of which nothing but its place is stated.
SPATIAL_CONCEPT = Code("309825002", "SCT", "Spatial and Relational Concept")

# Findings
LESION = Code("52988006", "SCT", "Lesion")
LYMPH_NODE = Code("59441001", "SCT", "Lymph Node")
LESION_OF_BRAIN = Code("301766008", "SCT", "Lesion of brain")
LUNG_DENSITY = private_code("LUNG_DENSITY", "Lung density on CT")
INCREASED_UPTAKE = private_code("FDG_UPTAKE", "Focal tracer uptake")
# Glioma has only a secondary source for its SNOMED number; meningioma and pituitary tumour have
# none that could be verified, so all three classes stand in the private scheme.
GLIOMA = private_code("GLIOMA", "Glioma")
MENINGIOMA = private_code("MENINGIOMA", "Meningioma")
PITUITARY_TUMOUR = private_code("PITUITARY_TUMOUR", "Pituitary tumour")

# Presence (SNOMED CT)
PRESENT = Code("52101004", "SCT", "Present")
ABSENT = Code("272519000", "SCT", "Absent")
INDETERMINATE = Code("82334004", "SCT", "Indeterminate")

# Quantities
VOLUME = Code("118565006", "SCT", "Volume")
AREA = Code("42798000", "SCT", "Area")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
SHORT_AXIS = Code("103340004", "SCT", "Short axis")
MEAN_ATTENUATION = Code("112181", "DCM", "Mean attenuation")
SUV_BW = Code("126401", "DCM", "SUVbw")
METABOLIC_VOLUME = Code("126032", "DCM", "Metabolic Volume")
TOTAL_LESION_GLYCOLYSIS = Code("126033", "DCM", "Total Lesion Glycolysis")
PEAK_VALUE_WITHIN_ROI = Code("126031", "DCM", "Peak Value Within ROI")
MAXIMUM = Code("56851009", "SCT", "Maximum")
MEAN = Code("373098007", "SCT", "Mean")
LAA_950 = private_code("LAA950", "Low attenuation area below -950 HU")
LAA_910 = private_code("LAA910", "Low attenuation area below -910 HU")
PERC15 = private_code("PERC15", "15th percentile of lung density")
GUARD_DISTANCE = private_code("GUARD_DISTANCE", "Distance from the known pictures")
GUARD_LIMIT = private_code("GUARD_LIMIT", "Distance above which a picture is foreign")
GUARD_VERDICT = private_code("GUARD_VERDICT", "Whether the picture is of the model's kind")
KNOWN_KIND = private_code("KNOWN", "Of the model's kind")
FOREIGN_KIND = private_code("FOREIGN", "Not of the model's kind")
OPEN_ENTROPY = private_code("OPEN_ENTROPY", "Mean entropy of several answers")
DISAGREEMENT = private_code("DISAGREEMENT", "Entropy by which several answers disagree")
NOT_EXCLUDED = private_code("NOT_EXCLUDED", "Findings that cannot be excluded")
EXPLANATION = private_code("EXPLANATION", "Weight of a pixel in an explanation")
PROBABILITY_AT_PREVALENCE = private_code("PROBABILITY_AT_PREVALENCE", "Probability at the stated prevalence")
PROBABILITY = private_code("PROBABILITY", "Calibrated probability")
GRAD_CAM = Code("130403", "DCM", "Gradient-weighted class activation")
