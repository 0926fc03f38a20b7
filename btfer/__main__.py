"""`python -m btfer` is the command `btfer`."""

from btfer.cli import main

if __name__ == "__main__":  # workers read this file too
    main()
