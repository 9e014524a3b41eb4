"""Every word a person reads can be translated, and each language that is there is whole."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from postern import TOP, main

PO = os.path.join(TOP, "po")


def listed(name):
    with open(os.path.join(PO, name)) as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


@unittest.skipUnless(shutil.which("msgfmt") and shutil.which("xgettext"), "needs gettext")
class Translations(unittest.TestCase):
    def test_every_file_with_words_is_listed(self):
        found = []
        for top in ("src", "include"):
            for folder, _, names in os.walk(os.path.join(TOP, top)):
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path) as file:
                        text = file.read()
                    if name != "i18n.h" and re.search(r'\b(_|N_|P_)\(\s*"', text):
                        found.append(os.path.relpath(path, TOP))
        self.assertEqual(listed("POTFILES"), sorted(found))

    def test_every_language_is_whole(self):
        with tempfile.TemporaryDirectory() as directory:
            template = os.path.join(directory, "postern.pot")
            subprocess.run(["xgettext", "--keyword=_", "--keyword=N_", "--keyword=P_:1,2",
                            "--from-code=UTF-8", "--files-from=po/POTFILES", "--add-comments",
                            "-o", template], cwd=TOP, check=True)
            for language in listed("LINGUAS"):
                path = os.path.join(PO, language + ".po")
                merged = os.path.join(directory, language + ".po")
                subprocess.run(["msgmerge", "--quiet", "--no-fuzzy-matching", "-o", merged, path,
                                template], check=True)
                done = subprocess.run(
                    ["msgfmt", "--check", "--statistics", "-o", "/dev/null", merged],
                    stderr=subprocess.PIPE, universal_newlines=True, env={**os.environ, "LC_ALL": "C"})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("untranslated", done.stderr)
                self.assertNotIn("fuzzy", done.stderr)

    def test_the_template_has_every_word(self):
        with open(os.path.join(PO, "postern.pot")) as file:
            template = file.read()
        with tempfile.TemporaryDirectory() as directory:
            fresh = os.path.join(directory, "fresh.pot")
            subprocess.run(["xgettext", "--keyword=_", "--keyword=N_", "--keyword=P_:1,2",
                            "--from-code=UTF-8", "--files-from=po/POTFILES", "-o", fresh],
                           cwd=TOP, check=True)
            old = os.path.join(directory, "old.pot")
            with open(old, "w") as out:
                out.write(template)
            done = subprocess.run(["msgcmp", "--use-untranslated", old, fresh],
                                  stderr=subprocess.PIPE, universal_newlines=True)
            self.assertEqual(done.returncode, 0,
                             "run: ninja -C build postern-pot\n" + done.stderr)


if __name__ == "__main__":
    main()
