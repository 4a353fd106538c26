"""Where the app does its work: each desk starts some of it and takes down what came of it.

Workers post messages; the app hands them to the desk, which changes the session and publishes what changed.
"""
