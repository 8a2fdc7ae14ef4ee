"""`python -m rewind`: the same as the console script, where that is not on the path."""

from rewind.cli import main

if __name__ == "__main__":
    main()
