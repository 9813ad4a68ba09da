"""Print the OpenAPI file: ``python -m app.api > docs/openapi.json``."""

import json
import sys
import tempfile
from pathlib import Path

from agent.advisor import Advisor
from agent.settings import Settings
from app.api.application import Api

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), offline=True)
        with Advisor(settings) as advisor:
            made = Api(advisor, settings, local=True)
            sys.stdout.write(json.dumps(made.app.openapi(), ensure_ascii=False, indent=1) + "\n")
