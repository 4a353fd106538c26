"""The hooks that come with the house, one module each; ``core/hooks/registry.py`` lists them."""
