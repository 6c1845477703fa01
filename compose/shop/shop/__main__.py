"""Serves the shop: `python -m shop`, settings from the environment."""

import os
import signal
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import gevent
from gevent.pywsgi import WSGIServer

from shop.database import open_database
from shop.switches import install
from shop.web import create_app


def _serve(database: Path, host: str, port: int) -> None:
    with closing(open_database(database)) as connection:
        app = install(create_app(connection))
        server = WSGIServer((host, port), app, log=None, error_log=sys.stderr)
        gevent.signal_handler(signal.SIGTERM, server.stop, 1)
        gevent.signal_handler(signal.SIGINT, server.stop, 1)
        server.serve_forever()


def main() -> None:
    """Serve on $HOST:$PORT from $SHOP_DATABASE, a fresh temporary file if not set."""
    with tempfile.TemporaryDirectory(prefix="shop-") as scratch:
        _serve(
            Path(os.environ.get("SHOP_DATABASE", f"{scratch}/shop.db")),
            os.environ.get("HOST", "127.0.0.1"),
            int(os.environ.get("PORT", "8000")),
        )


if __name__ == "__main__":
    main()
