"""The dark and the light theme, with the state colours of the Django admin and Flower."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

COLOURLESS: Final = "ansi-dark"
"""The theme for NO_COLOR: the terminal's own colours, with text attributes."""

CELTOP_DARK: Final = Theme(
    name="celtop-dark",
    primary="#5fafff",
    secondary="#af87ff",
    accent="#5fd7d7",
    success="#5fd787",
    warning="#ffaf5f",
    error="#ff5f5f",
    foreground="#d7dae0",
    background="#0f1218",
    surface="#0f1218",
    panel="#1b2029",
    dark=True,
    variables={
        "text-muted": "#8791a3",
        "text-disabled": "#5c6675",
        "block-cursor-background": "#24405f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#1b2433",
        "block-cursor-text-style": "none",
        "border": "#5fafff",
        "border-blurred": "#303846",
        "scrollbar": "#303846",
        "scrollbar-background": "#12161d",
        "input-selection-background": "#5fafff 35%",
    },
)

CELTOP_LIGHT: Final = Theme(
    name="celtop-light",
    primary="#005faf",
    secondary="#7a3fc0",
    accent="#00737a",
    success="#1a7f37",
    warning="#a85b00",
    error="#c0242c",
    foreground="#22262e",
    background="#fbfbfa",
    surface="#fbfbfa",
    panel="#eceef1",
    dark=False,
    variables={
        "text-muted": "#5f6774",
        "text-disabled": "#8a919c",
        "block-cursor-background": "#cfe3fb",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#e6edf5",
        "block-cursor-text-style": "none",
        "border-blurred": "#c4c9d1",
    },
)
