"""The SQL that both databases share: the tables, and the statements that read and write them."""
