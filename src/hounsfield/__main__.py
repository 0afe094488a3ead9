"""`python -m hounsfield` is the command `hounsfield`."""

from hounsfield.cli import main

if __name__ == "__main__":
    main()
