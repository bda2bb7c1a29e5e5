"""The small studies of the tests of tuning."""

from tests.tuning.conftest import begin, rates, small  # noqa: F401
