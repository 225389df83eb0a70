"""The questions: each is a module with `ask(bench) -> Answer`."""
