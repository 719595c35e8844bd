# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of the documents that make a token, pasted into a shell."""

import hashlib
import os
import pathlib
import re
import subprocess

DOCS = pathlib.Path(__file__).parents[2] / "docs"
HEADGATE = os.environ["HEADGATE"]


def test_the_recipe_of_a_token_makes_credentials_that_the_agent_takes(tmp_path):
    credentials = tmp_path / "credentials.yaml"
    recipe = re.search(r"```sh\n(.*?)```", (DOCS / "credentials.md").read_text(), re.DOTALL)[1]
    for there, here in (("sudo ", ""), ("-o headgate ", ""), ("/etc/headgate/credentials.yaml", str(credentials))):
        assert there in recipe
        recipe = recipe.replace(there, here)
    token = subprocess.run(["sh", "-eu", "-c", recipe], capture_output=True, text=True, check=True).stdout.strip()
    assert hashlib.sha256(token.encode()).hexdigest() in credentials.read_text()
    configuration = tmp_path / "headgate.yaml"
    configuration.write_text(f"state_dir: {tmp_path}\nhttp: {{credentials: {credentials}}}\n")
    done = subprocess.run([HEADGATE, "check-config", "--config", configuration], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
