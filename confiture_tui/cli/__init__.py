"""The command line: every screen without a screen. Commands call the service and print what it says.

stdout is data, stderr is narration.
"""
