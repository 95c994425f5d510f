"""The Textual app: screens, styles and the frame loop."""
