# SPDX-License-Identifier: GPL-2.0-or-later
"""When a document tells the truth about what a command prints: what may differ, and what may not."""

import pytest

from transcripts import Ids, commands_in, difference, form, has_form_of

CAPTURE = """\
PROTOCOL  SOURCE                 DESTINATION           STATE        AGE  TIMEOUT    BYTES  BYTES BACK
tcp       10.0.1.2:40822         10.0.2.2:8080         ESTABLISHED   2s    4d23h  2.5 KiB     1.3 KiB
tcp       [2001:db8:1::2]:51344  [2001:db8:2::2]:8080  ESTABLISHED   2s    4d23h  3.6 KiB     2.0 KiB
2 of 5 flows match
headgate: operation 409d3ddc-409f-48f8-8cfa-97258a068173
""".splitlines()
LIST = """\
ID        TYPE     STATUS     TIME      BY    MATCHED  FLUSHED  FIREWALL  ZONE  FILTERS
c93ade8c  flush    COMPLETED  02:49:17  root        2        2  edge      a     destination-port=8080
409d3ddc  capture  COMPLETED  02:49:17  root        2           edge      a     destination-port=8080
""".splitlines()


def replaced(lines, old, new):
    assert any(old in line for line in lines)
    return [line.replace(old, new) for line in lines]


@pytest.mark.parametrize("old, new", [
    ("409d3ddc-409f-48f8-8cfa-97258a068173", "00000000-1111-2222-3333-444444444444"),
    (":40822", ":1234"), ("10.0.1.2", "192.0.2.77"), ("2001:db8:1::2", "2001:db8::9:1"),
    ("2s", "1m07s"), ("2s", "12s"), ("2.5 KiB", "759 B"), ("2.5 KiB", "1.2 GiB"), ("2 of 5", "12 of 700"),
    ("ESTABLISHED   2s", "ESTABLISHED      2s")])
def test_ids_addresses_ports_durations_sizes_counts_and_widths_may_differ(old, new):
    assert has_form_of(CAPTURE, replaced(CAPTURE, old, new))


@pytest.mark.parametrize("shown, real", [("18:10:14", "2026-11-28 18:10:14"), ("18:10:14", "18:10:14Z"),
                                         ("02:49:17", "2026-11-29T02:49:14.614180002Z"), ("7 ms", "1.2 s"), ("0.0 %", "3.1 %")])
def test_a_time_may_have_its_date_and_a_figure_its_size(shown, real):
    assert form(shown) == form(real)


@pytest.mark.parametrize("old, new", [
    ("2 of 5 flows match", "2 of 5 flows matched"), ("BYTES BACK", "BACK"), ("ESTABLISHED", "NEW"), ("tcp ", "udp "),
    ("10.0.1.2", "2001:db8::1"), ("2.5 KiB", "2.5 kB"), ("2.5 KiB", "2560"), ("  4d23h", ""),
    ("headgate: operation", "headgate:")])
def test_words_columns_and_units_may_not(old, new):
    assert not has_form_of(CAPTURE, replaced(CAPTURE, old, new))


def test_none_is_not_some():
    assert not has_form_of(["2 flushed, 0 failed"], ["0 flushed, 0 failed"])
    assert not has_form_of(["2 flushed, 0 failed"], ["2 flushed, 1 failed"])
    assert has_form_of(["2 flushed, 0 failed"], ["17 flushed, 0 failed"])


def test_a_line_more_or_less_is_a_difference():
    assert not has_form_of(CAPTURE, CAPTURE[:-1])
    assert not has_form_of(CAPTURE, [*CAPTURE, "headgate: warning: no policy"])
    assert not has_form_of([], ["headgate: warning: no policy"])
    assert has_form_of([], [])


def test_flows_are_in_no_order_but_operations_are():
    assert has_form_of(CAPTURE, [CAPTURE[0], CAPTURE[2], CAPTURE[1], *CAPTURE[3:]])
    assert not has_form_of(CAPTURE, [CAPTURE[3], *CAPTURE[:3], CAPTURE[4]])
    assert not has_form_of(LIST, [LIST[0], LIST[2], LIST[1]])


def test_dots_stand_for_any_lines_and_within_a_line_for_any_text():
    assert has_form_of(["policy  drop", "...", "state  in force"], ["policy  drop", "scope  all", "hooks  in", "state  in force"])
    assert has_form_of(["policy  drop", "..."], ["policy  drop"])
    assert not has_form_of(["policy  drop", "..."], ["policy  reject", "scope  all"])
    assert has_form_of(['{"id":7, ... "status":"COMPLETED"}'], ['{"id":8,"type":1,"status":"COMPLETED"}'])
    assert not has_form_of(['{"id":7, ... "status":"COMPLETED"}'], ['{"id":8, "type": 1, "status":"FAILED"}'])
    assert not has_form_of(["ends with a full stop."], ["ends with a full stop.."])


def test_names_and_numbers_in_words_are_words():
    assert form("ipv4 sha256 http2 a1 -195") == "ipv4 sha256 http2 a1 -<number>"
    assert form("add: fade: cafe") == "add: fade: cafe"
    assert form("eight digits may be an id: 12345678") == "eight digits may be an id: <id>"


def test_a_difference_shows_both_and_leaves_alone_what_agrees():
    assert difference(CAPTURE, [*CAPTURE[:3], "12 of 7 flows match", "headgate: nothing"]) == [
        *[f" {line}" for line in CAPTURE[:4]], f"-{CAPTURE[4]}", "+headgate: nothing"]


DOCUMENT = """\
# Title

    headgate table              # how full
    headgate log

Text.
    no command: the sentence goes on

## Section

```
$ headgate capture
2 of 5 flows match
...
$ curl a \\
    b
$ echo $?
5
```

```sh
one
two
```

```yaml
headgate: true
```

```
a table
```
"""


def test_commands_are_found_with_what_a_document_shows_of_them():
    found = [(command.line, command.section, command.text, command.shown) for command in commands_in(DOCUMENT)]
    assert found == [
        (3, "Title", "headgate table              # how full", None), (4, "Title", "headgate log", None),
        (12, "Section", "headgate capture", ["2 of 5 flows match", "..."]), (15, "Section", "curl a \\\n    b", []),
        (17, "Section", "echo $?", ["5"]), (22, "Section", "one\ntwo", None)]


def test_a_command_knows_the_lines_of_its_output():
    lines = DOCUMENT.splitlines()
    for command in commands_in(DOCUMENT):
        if command.shown is not None:
            begin, end = command.output_lines
            assert lines[begin:end] == command.shown


def test_an_id_of_the_document_stands_for_the_operation_that_printed_one_in_its_place():
    ids = Ids()
    real = "0a1b2c3d-0000-1111-2222-333344445555"
    ids.learn(CAPTURE, replaced(CAPTURE, "409d3ddc-409f-48f8-8cfa-97258a068173", real))
    assert ids.made_real("headgate flush --from-capture 409d3ddc --yes", None) == "headgate flush --from-capture 0a1b2c3d --yes"
    assert ids.made_real("show 409d3ddc-409f-48f8-8cfa-97258a068173", None) == f"show {real}"
    assert ids.as_documented(f"flows of {real}, 0a1b2c3d") == "flows of 409d3ddc-409f-48f8-8cfa-97258a068173, 409d3ddc"


def test_an_id_of_which_nothing_is_known_stands_for_the_newest_operation_from_then_on():
    ids, newest = Ids(), "0a1b2c3d-0000-1111-2222-333344445555"
    assert ids.made_real("headgate log --operation 344b17a4", lambda: newest).endswith(" 0a1b2c3d")
    assert ids.made_real("headgate operations show 344b17a4", None).endswith(" 0a1b2c3d")
    assert ids.as_documented("flush 0a1b2c3d") == "flush 344b17a4"
