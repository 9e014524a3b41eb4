"""The commands of the full screen, their keys and their sentences: in the manual as in the table."""

import os
import re
import unittest

import postern

ROW = re.compile(r'\{ VIEW_DO_\w+,[^"]*?"([a-z-]+)",\s*"([^"]+)",\s*(?:NULL|N_\("(\w+)"\)),\s*'
                 r'N_\("([^"]+)"\) \}')


def unescaped(text):
    return text.replace(r"\(ha", "^").replace(r"\-", "-").replace(r"\&", "")


class Commands(unittest.TestCase):
    def test_the_manual_has_every_row_of_the_table_and_no_others(self):
        with open(os.path.join(postern.TOP, "src", "view", "command.c")) as file:
            source = file.read()
        table = [(name, keys, argument, sentence)
                 for name, keys, argument, sentence in ROW.findall(source)]
        self.assertEqual(len(table), source.count("{ VIEW_DO_"))
        with open(os.path.join(postern.TOP, "man", "postern.1")) as file:
            section = file.read().split(".Sh FULL SCREEN")[1].split(".Sh ")[0]
        manual = [(name, unescaped(keys), argument, sentence) for name, argument, keys, sentence in
                  re.findall(r"^\.It Cm ([a-z-]+)(?: Ar (\w+))? Pq (.+)\n(.+)\.$", section, re.M)]
        self.assertEqual(manual, table)


if __name__ == "__main__":
    unittest.main()
