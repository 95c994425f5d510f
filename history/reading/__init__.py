"""Reading a history: for the screens, frozen or not, and for the commands."""
