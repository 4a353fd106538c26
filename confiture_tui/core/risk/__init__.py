"""How dangerous a migration is, and why: rules, probes, durations, and a score whose every point can be traced."""
