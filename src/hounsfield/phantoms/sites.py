"""Pictures of any kind as several sites would send them (P-SITE): prevalence, scanner and labels differ by site.

The generator of the pictures is given; here each site draws cases of its own prevalence, images them with the gain,
offset and kernel of its scanner, and labels them with mistakes. Prevalences can also be derived from the correlation
that label and source shall have: 0 for a fair collection, 1 for one in which knowing the source is knowing the label.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import ndimage

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.dicom_attributes import LABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PictureMaker(Protocol):
    """Makes the picture of one case, (y, x) or (z, y, x), from whether it is positive and a source of chance."""

    def __call__(self, rng: np.random.Generator, *, is_positive: bool) -> NDArray[Any]:
        """The picture; everything by chance comes from `rng`."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """One site. Raises UsageError outside the ranges checked here.

    prevalence: share of positive cases. gain, offset: values become gain x value + offset, in the unit of the
    pictures. blur_px: standard deviation of the scanner's Gaussian kernel, in pixels of every axis. label_noise:
    chance of a case to be labelled as the other class.
    """

    name: str
    n_cases: int = 100
    prevalence: float = 0.5
    gain: float = 1.0
    offset: float = 0.0
    blur_px: float = 0.0
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("n_cases", self.n_cases, 1, 1_000_000),
            ("prevalence", self.prevalence, 0.0, 1.0),
            ("gain", self.gain, 0.01, 100.0),
            ("blur_px", self.blur_px, 0.0, 20.0),
            ("label_noise", self.label_noise, 0.0, 1.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(f"{name} of site {self.name!r} is {value}, outside {low:g} to {high:g}")

    @property
    def n_positive(self) -> int:
        """Positive cases: exactly the prevalence, to the nearest case."""
        return int(np.floor(self.n_cases * self.prevalence + 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class SiteCase:
    """One case. picture: float32, as the site's scanner shows it. is_positive: the truth; is_labelled_positive: what
    the site says.
    """

    name: str
    site: str
    picture: NDArray[np.float32]
    is_positive: bool
    is_labelled_positive: bool


@dataclass(frozen=True, slots=True, eq=False)
class SiteCollection:
    """Synthetic cases of several sites, in chance order."""

    sites: tuple[Site, ...]
    seed: int
    cases: tuple[SiteCase, ...]
    label: str = LABEL


def correlated_sites(
    sites: tuple[Site, ...], *, n_positive_sites: int, correlation: float
) -> tuple[Site, ...]:
    """The sites with prevalences such that label and source correlate.

    The first `n_positive_sites` send the positive cases where `correlation` is 1, the others the negative ones;
    at 0 all have one prevalence: the share of all cases that come from the first. The phi coefficient between
    the true label and the group of the source is `correlation`, to the rounding of case numbers. Raises UsageError.
    """
    if not 0.0 <= correlation <= 1.0:
        raise UsageError(f"the correlation of label and source is {correlation}, outside 0 to 1")
    if not 0 < n_positive_sites < len(sites):
        raise UsageError(
            f"{n_positive_sites} of {len(sites)} sites shall send the positive cases; at least one and not all can"
        )
    total = sum(site.n_cases for site in sites)
    share = sum(site.n_cases for site in sites[:n_positive_sites]) / total
    # With p the share, p + c (1 - p) and p (1 - c): their mean over all cases is p, and phi, which is
    # the difference c times sqrt(p (1 - p) / (p (1 - p))), is c.
    prevalences = (share + correlation * (1.0 - share), share * (1.0 - correlation))
    return tuple(
        _with_prevalence(site, prevalences[0 if number < n_positive_sites else 1])
        for number, site in enumerate(sites)
    )


def _with_prevalence(site: Site, prevalence: float) -> Site:
    return Site(site.name, site.n_cases, prevalence, site.gain, site.offset, site.blur_px, site.label_noise)


def make_sites(make: PictureMaker, sites: tuple[Site, ...], *, seed: int = 1) -> SiteCollection:
    """Make the cases of all sites; deterministic by seed.

    The scanner changes what `make` gives by blur, gain and offset in this order, and nothing else: the picture of a
    case before its scanner depends on seed, site name, number and class alone. Raises UsageError for two sites of
    one name.
    """
    twice = [name for name, n in Counter(site.name for site in sites).items() if n > 1]
    if twice or not sites:
        raise UsageError(
            f"sites need names of their own, and there must be one: {', '.join(twice) or 'none given'}"
        )
    cases = [case for site in sites for case in _cases_of(make, site, seed)]
    order = np.random.Generator(np.random.PCG64([seed, len(cases)])).permutation(len(cases))
    return SiteCollection(sites, seed, tuple(cases[int(place)] for place in order))


def _cases_of(make: PictureMaker, site: Site, seed: int) -> list[SiteCase]:
    key = [seed, *site.name.encode()]
    rng = np.random.Generator(np.random.PCG64(key))
    positive = set(rng.permutation(site.n_cases)[: site.n_positive].tolist())
    mistaken = rng.random(site.n_cases) < site.label_noise
    cases = []
    for number in range(site.n_cases):
        is_positive = number in positive
        own = np.random.Generator(np.random.PCG64([*key, number, int(is_positive)]))
        picture = _scanned(make(own, is_positive=is_positive), site)
        stated = is_positive != bool(mistaken[number])
        cases.append(SiteCase(f"SYN-{site.name}-{number + 1:05d}", site.name, picture, is_positive, stated))
    return cases


def _scanned(picture: NDArray[Any], site: Site) -> NDArray[np.float32]:
    values = np.asarray(picture, dtype=np.float64)
    if site.blur_px:
        values = ndimage.gaussian_filter(values, site.blur_px, mode="nearest")
    scanned: NDArray[np.float32] = (site.gain * values + site.offset).astype(np.float32)
    return scanned
