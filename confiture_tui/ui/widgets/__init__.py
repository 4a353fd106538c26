"""The widgets: each draws what presenters give it and says, in messages, what was done to it."""
