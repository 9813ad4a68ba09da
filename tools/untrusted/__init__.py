"""Reading data that strangers hand over: a child process with limits parses it, ours reads only what our writer wrote.

The child (`child`) turns the files into a copy in the BEIR layout beside them, kept by their content, columns and
whether bad lines are left out; `copies` finds the copy, or has it made.
"""

from tools.untrusted.copies import preview_untrusted, read_untrusted

__all__ = ["preview_untrusted", "read_untrusted"]
