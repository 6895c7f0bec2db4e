"""Units: minute, km, yuan (constant prices), pupil. The one place with 60 and 1000."""

MINUTES_PER_HOUR = 60.0
SECONDS_PER_MINUTE = 60.0
MINUTES_PER_DAY = 24 * 60.0
METRES_PER_KM = 1000.0
FEN_PER_YUAN = 100


def minutes_for(km: float, speed_km_per_h: float) -> float:
    """Return how many minutes a way of `km` takes at a steady speed in km/h."""
    return km / speed_km_per_h * MINUTES_PER_HOUR


def minutes_of(seconds: float) -> float:
    """Return seconds as minutes."""
    return seconds / SECONDS_PER_MINUTE
