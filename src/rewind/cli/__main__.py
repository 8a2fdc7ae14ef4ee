"""`python -m rewind.cli`: the same as the console script."""

from rewind.cli import main

if __name__ == "__main__":
    main()
