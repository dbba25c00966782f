"""Which packages a wheel holds, and its extras; everything else is in pyproject.toml, which cannot say these.

It can either find packages or name some, and reads no requirements that stand on others (`-r`).
"""

import pathlib

from setuptools import find_packages, setup

development = pathlib.Path(__file__).with_name("requirements-dev.txt").read_text(encoding="utf-8").splitlines()
setup(
    script_name="setup.py",  # by this name it is known, and left out of `seqdemo.site`
    packages=[*find_packages(include=["seqdemo*"]), "seqdemo.site", "seqdemo.site.pages"],
    extras_require={"dev": [line for line in development if not line.startswith("-r")]},
)
