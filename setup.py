"""Packs configs/, which lies at the top of the repository, into the wheel; all else stands in pyproject.toml."""

from setuptools import setup
from setuptools.command.build_py import build_py


class WithConfigs(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_tree("configs", f"{self.build_lib}/learnsym/configs")


setup(cmdclass={"build_py": WithConfigs})
