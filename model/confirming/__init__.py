"""What a person is asked before each kind of act; `confirmation.confirm` puts it together."""
