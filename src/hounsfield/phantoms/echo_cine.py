"""Apical echo cine of a beating left ventricle whose volumes are known in every frame.

The truth is exact by construction: the cavity is a truncated ellipsoid of a chosen volume (left_ventricle.py),
which follows the beats of heart_beats.py. Both views are taken at once, as a biplane probe does, so
that a beat has one EDV and one ESV.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.phantoms.echo_view import VIEWS, Placement, ViewPictures
from hounsfield.phantoms.heart_beats import RHYTHMS, Beat, Rhythm, make_beats, volume_ml
from hounsfield.phantoms.left_ventricle import Heart
from hounsfield.phantoms.phantom import Phantom, PhantomStudy
from hounsfield.phantoms.ultrasound_speckle import Sector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Progress
    from hounsfield.phantoms.echo_view import View
    from hounsfield.phantoms.left_ventricle import Ventricle

KIND = "echo-cine"
DEPTH_MM, OPENING_DEG = 160.0, 80.0
LEAD_S = 0.12  # shown before the first R wave and after the last
# Long axis at end-diastole of a ventricle of 120 ml (Lang 2015: about 8 to 9 cm), growing as its cube root.
USUAL_LENGTH_MM, USUAL_EDV_ML = 86.0, 120.0
# Width in the two-chamber view over that in the four-chamber view (chosen); wall of 6 to 10 mm (Lang 2015).
ROUNDNESS, WALL_MM = (0.92, 1.04), (7.0, 10.0)


@dataclass(frozen=True, slots=True)
class EchoCineParameters:
    """What an echo phantom is made from; equal parameters give equal pixels.

    edv_ml: end-diastolic volume, 40 to 350 (reference 46 to 150, Lang 2015). ef_percent: 10 to 80, of every
    beat in sinus rhythm and of a beat after an average interval else. rate_per_min: 40 to 150.
    frames_per_s: 20 to 120. n_beats: complete beats in view, 1 to 12. rhythm: sinus, atrial-fibrillation, or
    ectopic (one early beat; needs 3). pixel_mm: 0.3 to 2. Raises UsageError outside these ranges.
    """

    seed: int = 1
    edv_ml: float = 110.0
    ef_percent: float = 58.0
    rate_per_min: float = 70.0
    frames_per_s: float = 50.0
    n_beats: int = 3
    rhythm: Rhythm = "sinus"
    pixel_mm: float = 0.8

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("edv_ml", self.edv_ml, 40.0, 350.0),
            ("ef_percent", self.ef_percent, 10.0, 80.0),
            ("rate_per_min", self.rate_per_min, 40.0, 150.0),
            ("frames_per_s", self.frames_per_s, 20.0, 120.0),
            ("n_beats", self.n_beats, 3 if self.rhythm == "ectopic" else 1, 12),
            ("pixel_mm", self.pixel_mm, 0.3, 2.0),
        )
        if self.rhythm not in RHYTHMS:
            raise UsageError(f"rhythm is {self.rhythm!r}; choose one of {', '.join(RHYTHMS)}")
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the echo phantom can show"
                )


def make_echo_cine(
    parameters: EchoCineParameters | None = None, *, progress: Progress | None = None
) -> PhantomStudy:
    """Make both views: images `a4c` and `a2c`, each uint8 (frame, y, x) on a grid without a place.

    truth of the study: beats (start, interval, EDV, ESV, EF, frames of largest and smallest area), frame times
    and volumes. truth of an image: area and length in every frame, twenty disc diameters at the largest and
    smallest frame of every beat, pixel spacing. masks of an image: `left-ventricle` (frame, y, x). Deterministic by seed.
    """
    chosen, progress = parameters or EchoCineParameters(), progress or Silent()
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    plan = EchoPlan(chosen, rng)
    images: dict[str, Phantom] = {}
    for view in VIEWS:
        placement = Placement(
            float(rng.uniform(4.0, 10.0)) if view == "a4c" else float(rng.uniform(-4.0, 4.0)),
            float(rng.uniform(10.0, 16.0)),
            float(rng.uniform(-4.0, 6.0)),
        )
        images[view] = plan.image(view, placement, rng, progress)
    return PhantomStudy(KIND, asdict(chosen), plan.truth(), images)


class EchoPlan:
    """Times, volumes and shapes of all frames; the pictures of a view are made when asked for."""

    def __init__(self, parameters: EchoCineParameters, rng: np.random.Generator) -> None:
        self.parameters = parameters
        heart = Heart(
            parameters.edv_ml,
            USUAL_LENGTH_MM * (parameters.edv_ml / USUAL_EDV_ML) ** (1 / 3) * float(rng.uniform(0.95, 1.05)),
            float(rng.uniform(*ROUNDNESS)),
            float(rng.uniform(*WALL_MM)),
        )
        beats = make_beats(
            rng,
            parameters.rhythm,
            rate_per_min=parameters.rate_per_min,
            n_beats=parameters.n_beats,
            edv_ml=parameters.edv_ml,
            ef_percent=parameters.ef_percent,
        )
        self.complete = beats[1:-1]
        end_s = beats[-1].start_s + LEAD_S
        n_frames = int(np.floor((end_s + LEAD_S) * parameters.frames_per_s)) + 1
        # On the clock of the beats; the first frame of the file is time 0 of the truth.
        self.times_s = -LEAD_S + np.arange(n_frames) / parameters.frames_per_s
        self.volumes_ml = [volume_ml((*beats, beats[-1]), float(t), parameters.rhythm) for t in self.times_s]
        self.shapes = [heart.at(v) for v in self.volumes_ml]
        self.sector = Sector(DEPTH_MM, OPENING_DEG, parameters.pixel_mm, n_lines=128, step_mm=0.4)

    def image(
        self, view: View, placement: Placement, rng: np.random.Generator, progress: Progress
    ) -> Phantom:
        """The frames of one view with their masks and truth."""
        pictures = ViewPictures(view, self.sector, placement, rng)
        shape = (len(self.shapes), *self.sector.shape_yx)
        array, mask = np.empty(shape, dtype=np.uint8), np.empty(shape, dtype=np.bool_)
        fullest, emptiest = max(self.volumes_ml), min(self.volumes_ml)
        for k, ventricle in enumerate(self.shapes):
            if k % 20 == 0:
                step(progress, f"{KIND} phantom: {view}", k / len(self.shapes))
            full = (self.volumes_ml[k] - emptiest) / (fullest - emptiest)
            array[k] = pictures.frame(ventricle, 1.0 - full, self._opening(k))
            mask[k] = pictures.mask(ventricle)
        grid = Grid((1, *shape[1:]), None, None)
        truth = self._view_truth(view, self.shapes)
        return Phantom(KIND, array, grid, "1", asdict(self.parameters), truth, {"left-ventricle": mask}, view)

    def _opening(self, k: int) -> float:
        """How far the mitral valve is open: with the speed of filling."""
        following = self.volumes_ml[min(k + 1, len(self.volumes_ml) - 1)]
        speed_ml_s = (following - self.volumes_ml[k]) * self.parameters.frames_per_s
        return float(np.clip(speed_ml_s / (2.5 * self.parameters.edv_ml), 0.0, 1.0))

    def _frames(self, beat: Beat) -> tuple[int, int]:
        """Frames of a beat with the largest volume (the first on or after its R wave) and the smallest."""
        ours = [
            k
            for k, t in enumerate(self.times_s)
            if beat.start_s - 1e-9 <= t < beat.start_s + beat.interval_s - 1e-9
        ]
        systole = [k for k in ours if self.times_s[k] < beat.start_s + beat.interval_s / 2] or ours
        largest = max(systole, key=lambda k: (self.volumes_ml[k], -k))
        smallest = min(ours, key=lambda k: (self.volumes_ml[k], k))
        return largest, smallest

    def truth(self) -> dict[str, Any]:
        """Beats and volumes; times count from the first frame."""
        beats = []
        for beat in self.complete:
            ed, es = self._frames(beat)
            beats.append(
                {
                    "start_s": beat.start_s + LEAD_S,
                    "interval_s": beat.interval_s,
                    "edv_ml": beat.edv_ml,
                    "esv_ml": beat.esv_ml,
                    "ef_percent": beat.ef_percent,
                    "ed_frame": ed,
                    "es_frame": es,
                }
            )
        return {
            "beats": beats,
            "n_complete_beats": len(beats),
            "mean_ef_percent": float(np.mean([b["ef_percent"] for b in beats])),
            "frame_time_s": [float(t + LEAD_S) for t in self.times_s],
            "volume_ml": [float(v) for v in self.volumes_ml],
            "definition": "exact: truncated ellipsoid; frames counted from 0; both views taken at once; papillary "
            "muscles are none",
        }

    def _view_truth(self, view: str, shapes: Sequence[Ventricle]) -> dict[str, Any]:
        frames = sorted({k for beat in self.complete for k in self._frames(beat)})
        return {
            "pixel_spacing_mm": self.parameters.pixel_mm,
            "area_cm2": [v.area_cm2(view) for v in shapes],
            "length_cm": [v.length_mm / 10.0 for v in shapes],
            "disc_diameters_cm": {str(k): shapes[k].disc_diameters_cm(view) for k in frames},
            "wall_mm": [v.wall_mm for v in shapes],
        }
