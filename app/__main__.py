"""`python -m app` is the same as `advisor`."""

from app.cli import main

if __name__ == "__main__":
    main()
