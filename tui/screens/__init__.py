"""One module a screen; its styles lie beside it."""
