"""Results as text for people: aligned, as wide as the terminal, coloured only on one, and safe to show."""
