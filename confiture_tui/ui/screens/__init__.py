"""The screens: thin. They hold widgets, ask presenters what to show, and pass wishes on to the app."""
