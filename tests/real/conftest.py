"""Real cases, where they are present; every test here skips, and says so, where they are not."""

from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def real():
    if not HOME.is_dir():
        pytest.skip("real cases are not there (../shared/data)")
    return HOME


@pytest.fixture(scope="session")
def tumour(real):
    return real / "tumour"


@pytest.fixture(scope="session")
def dicom(real):
    return real / "dicom"
