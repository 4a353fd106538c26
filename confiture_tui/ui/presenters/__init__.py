"""Pure functions from the core's models to what is drawn: no widget, no app, no input or output.

They name styles by component class (``.severity-error``); what these look like is said in ``styles/``, and which there
are in ``styles.py`` here.
"""
