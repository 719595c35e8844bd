# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates records of the flow log with their schemas: the project's own, and Suricata's."""

import copy
import functools
import json
import pathlib
import warnings

import jsonschema

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
OWN_SCHEMA = REPOSITORY / "docs/flow-log.schema.json"
# A worktree is beside the repository; both have the shared folder as a sibling.
SURICATA_SCHEMA = REPOSITORY.parent / "shared/data/suricata-eve-schema.json"

# Members of records that Suricata's schema does not have, by parent member.
EXTENSIONS = {
    "": ("nat", "mark", "zone", "headgate", "dccp"),
    "flow": ("last_state",),
    "netflow": ("last_state", "state", "reason"),
    "sctp": ("state",),
}


EVENTS = {"flow": "flow_event", "netflow": "netflow_event", "engine": "loss_event"}


@functools.cache
def _validator(path, definition=None):
    schema = json.loads(path.read_text())
    if definition:
        schema = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{definition}"}
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


def _check(path, record, definition=None):
    error = jsonschema.exceptions.best_match(_validator(path, definition).iter_errors(record))
    assert error is None, f"{path.name}: {error.json_path}: {error.message} in {json.dumps(record)}"


def without_extensions(event):
    """The event as Suricata could have written it."""
    event = copy.deepcopy(event)
    for member, names in EXTENSIONS.items():
        inside = event.get(member, {}) if member else event
        for name in names:
            inside.pop(name, None)
    return event


def check_record(record):
    """Fails unless the record, a parsed line of either format, is valid by both schemas."""
    event = record.get("event", record)
    # First by the schema of its event type: the whole schema would report only that no alternative matches.
    _check(OWN_SCHEMA, event, EVENTS.get(event.get("event_type")))
    _check(OWN_SCHEMA, record)
    if SURICATA_SCHEMA.exists():
        _check(SURICATA_SCHEMA, without_extensions(event))
    else:
        warnings.warn(f"{SURICATA_SCHEMA} is not there: records are not held against Suricata's schema", stacklevel=2)


def read_records(text):
    """Parses and checks all records of a log."""
    records = [json.loads(line) for line in text.splitlines()]
    for record in records:
        check_record(record)
    return records
