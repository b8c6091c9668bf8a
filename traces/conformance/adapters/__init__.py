"""One module for each area: ``ADAPTERS`` maps the kinds of cases to functions that try one case.

An adapter answers ``None`` if the model does what upstream's test expects, or a short text that says what it does
instead; it raises ``NotImplementedError`` for what isn't modelled.
"""
