"""The manual is well formed, and knows what the program knows."""

import os
import re
import shutil
import subprocess
import unittest

from postern import TOP, main

MAN = os.path.join(TOP, "man")
PAGES = sorted(name for name in os.listdir(MAN) if re.search(r"\.\d$", name))


def page(name):
    with open(os.path.join(MAN, name)) as file:
        return file.read()


def source(path):
    with open(os.path.join(TOP, path)) as file:
        return file.read()


class Manual(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "needs mandoc")
    def test_is_well_formed(self):
        done = subprocess.run(["mandoc", "-Tlint", *PAGES], cwd=MAN, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        # Whether a page is installed here is not the page's fault.
        said = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
        self.assertEqual(said, [])

    def test_says_what_the_tables_say(self):
        done = subprocess.run([os.path.join(TOP, "tools", "manual"), "--check"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_has_every_configuration_key(self):
        """Those of the table, and no others."""
        keys = re.findall(r'^\t\{ "\w+", "([a-z-]+)"', source("src/engine/config-table.c"), re.M)
        self.assertGreater(len(keys), 5)
        documented = re.findall(r"^\.It Ic ([a-z-]+)$", page("postern-config.5"), re.M)
        self.assertEqual(sorted(documented), sorted(keys))

    def test_has_every_command_and_option(self):
        table = source("src/cli/options.c")
        commands = re.findall(r'\[CLI_\w+\] = \{ "([a-z]+)"', table)
        self.assertIn("list", commands)
        for command in commands:
            self.assertRegex(page("postern.1"), rf"(?m)^\.It Cm {command}\b")
        options = {word.replace("\\-", "-") for word in re.findall(r"--[a-z]+", self.help())}
        self.assertIn("--offline", options)
        for option in options:
            self.assertRegex(page("postern.1"), rf"Fl -{option[2:]}\b|-{option[2:]}\b", option)

    def help(self):
        program = os.environ["POSTERN"]
        return subprocess.run([program, "--help"], stdout=subprocess.PIPE, check=True,
                              universal_newlines=True).stdout

    def test_readme_begins_with_the_two_commands(self):
        first = source("README").splitlines()[:2]
        self.assertIn("tools/try", first[0])
        self.assertIn("tools/check", first[1])
        for line in source("README").splitlines():
            self.assertLessEqual(len(line), 110)


if __name__ == "__main__":
    main()
