"""The commands. Headless: what opens the screen imports it inside the function that does so."""
