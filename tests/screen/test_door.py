"""All text reaches the terminal through ui_put, and ui_put passes it through the door."""

import os
import re
import unittest

import postern

SOURCE = os.path.join(postern.TOP, "src")
# curses' output functions: addstr, mvwaddnwstr, printw, vw_printw, echochar, insstr, waddchnstr, ...
CURSES_OUT = re.compile(r"\b(?:mv)?w?(?:add|ins)_?n?w?(?:str|ch|chstr|chnstr|wch|wchstr|nstr)\s*\(|"
                        r"\b(?:mv)?w?(?:printw|vline|hline)\s*\(|\bvw_?printw\s*\(|"
                        r"\bw?echo_?w?char\s*\(|\b(?:mv)?(?:v|h)line_set\s*\(|\btputs\s*\(|"
                        r"\bputp\s*\(|\bslk_set|\bpecho")
STDIO_OUT = re.compile(r"\b(?:v?f?printf|f?puts|f?putc|putchar|fwrite|g_print|g_printerr|perror|"
                       r"dprintf|write)\s*\(")


def sources(*rooms):
    for room in rooms:
        for name in sorted(os.listdir(os.path.join(SOURCE, room))):
            if name.endswith((".c", ".h")):
                with open(os.path.join(SOURCE, room, name)) as source:
                    yield f"{room}/{name}", re.sub(r"/\*.*?\*/", "", source.read(), flags=re.S)


class Door(unittest.TestCase):
    def test_only_the_screen_knows_curses(self):
        rooms = [room for room in os.listdir(SOURCE) if os.path.isdir(os.path.join(SOURCE, room))]
        users = [name for name, text in sources(*rooms)
                 if re.search(r"#include\s*<(?:ncursesw?/)?(?:n?curses|term|panel|menu|form)\.h>", text)]
        self.assertEqual(users, ["ui/screen.c"])

    def test_nothing_else_writes_to_the_terminal(self):
        for name, text in sources("view", "ui"):
            if name == "ui/screen.c":
                continue
            self.assertEqual(CURSES_OUT.findall(text), [], name)
            found = STDIO_OUT.findall(text)
            allowed = {"view/save.c": ["write("],       # the file that is saved
                       "ui/app.c": ["fprintf("]}        # why it did not start, through the door
            self.assertEqual(found, allowed.get(name, []), name)

    def test_in_the_screen_cells_are_put_by_ui_put_alone(self):
        text = dict(sources("ui"))["ui/screen.c"]
        bodies = re.findall(r"\n(\w+)\([^;{]*\)\n\{(.*?)\n\}", text, flags=re.S)
        writers = {name for name, body in bodies if CURSES_OUT.search(body)}
        self.assertEqual(writers, {"put_cluster", "put_blanks"})
        callers = {name for name, body in bodies
                   if re.search(r"\b(?:put_cluster|put_safe)\s*\(", body)}
        self.assertEqual(callers, {"put_safe", "ui_put_look"})
        put = dict(bodies)["ui_put_look"]
        self.assertLess(put.index("safe_text_is("), put.index("put_safe("))
        self.assertLess(put.index("safe_text("), put.index("put_safe("))
        self.assertEqual(STDIO_OUT.findall(text), [])


if __name__ == "__main__":
    unittest.main()
