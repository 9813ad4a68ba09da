"""The doors: each renders events and holds no logic of its own."""
