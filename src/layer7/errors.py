"""What went wrong, what is allowed, what to do: the one error of the house."""


class Layer7Error(Exception):
    """An answer that is not a result: it says what came, what is allowed and what to do.

    Args:
        code: stable machine name, lower case with underscores, e.g. ``"unknown_parameter"``.
            Edges map it once to an HTTP status and an exit code.
        message: what came and what is allowed, one sentence, never with a person's data in it.
        hint: what to do next, one sentence.

    Example:
        >>> error = Layer7Error("unknown_parameter", "No parameter 'x'.", "See `layer7 config show`.")
        >>> error.code, str(error)
        ('unknown_parameter', "No parameter 'x'. See `layer7 config show`.")
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
