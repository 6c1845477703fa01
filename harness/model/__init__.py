"""The nouns. Frozen, checked at construction, without I/O and without third parties.

Only `scenario` imports pydantic, since a scenario is what a person wrote.
"""
