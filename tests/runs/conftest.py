import io
import zipfile

import pytest


@pytest.fixture
def zipped():
    """Packs files, given as name and content, as a download has them."""

    def pack(**files):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files.items():
                file.writestr(name, content)
        return out.getvalue()

    return pack
