"""Which packages a wheel holds; everything else is in pyproject.toml, which cannot both find packages and add some."""

from setuptools import find_packages, setup

setup(
    script_name="setup.py",  # by this name it is known, and left out of `seqdemo.site`
    packages=[*find_packages(include=["seqdemo*"]), "seqdemo.site", "seqdemo.site.pages"],
)
