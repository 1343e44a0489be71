"""The command `freehold`: a file a command.

Owns:    nothing; a deploy goes over HTTP as with any AWS client. There is no private deploy API.
Not:     compiling serverless.yml and SAM (templates), what the server does with them (stacks, services).
Imports: app config templates http aws
Start:   program.py (the table of commands), then commands/deploy.py
Add:     a command: a file in commands/ and its line in COMMANDS.
"""


def main() -> None:
    """The entry point of the package."""
    # The built-in part of `signal`: nothing is read before Ctrl-C ends the program (interrupts.py says why).
    import _signal  # type: ignore[import-not-found]

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    import gc

    # Starting makes some hundred thousand objects that all stay: looking through them again and again for garbage
    # would take a tenth of the time that starting takes.
    gc.set_threshold(100_000, 20, 20)
    from freehold.cli.program import program

    program(prog_name="freehold")
